/**
 * The gateway's numbers for Prometheus. Primary thread, which has the rows of all workers: one scrape tells all threads.
 * Labels are bounded: models by `Traffic.labelOf`, outcomes by our own list. Never a key, a caller or an address.
 */
import { Counter, Gauge, Registry } from "prom-client";
import type { RequestRow } from "../../request-row.ts";
import { type Snapshot, SNAPSHOT_METRICS, type SnapshotMetric } from "./gauges.ts";
import { RequestCounts } from "./request-counts.ts";

export class Metrics {
  readonly #registry = new Registry();
  readonly #byRequest = new RequestCounts();
  readonly #bySnapshot = SNAPSHOT_METRICS.map((metric) => snapshotMetric(metric, this.#registry));

  /** Content type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Takes a request that ended. `model` is the label it is counted under. */
  record(row: RequestRow, model: string): void {
    this.#byRequest.record(row, model);
  }

  /** Everything in Prometheus's text format. */
  async text(snapshot: Snapshot): Promise<string> {
    for (const set of this.#bySnapshot) set(snapshot);
    return `${this.#byRequest.text()}\n${await this.#registry.metrics()}`;
  }
}

/** Registers the metric; the function given back sets it to what a snapshot says. */
function snapshotMetric(metric: SnapshotMetric, registry: Registry): (snapshot: Snapshot) => void {
  const { name, help, labels, type, samples } = metric;
  const configuration = { name, help, labelNames: [...labels], registers: [registry] };
  if (type === "gauge") {
    const gauge = new Gauge(configuration);
    return (snapshot) => {
      gauge.reset();
      for (const [value, ...values] of samples(snapshot)) gauge.labels(...values).set(value);
    };
  }
  const counter = new Counter(configuration);
  return (snapshot) => {
    // Somebody else counts: what is told is his total, not an increase.
    counter.reset();
    for (const [value, ...values] of samples(snapshot)) counter.labels(...values).inc(value);
  };
}
