/**
 * The gateway's numbers for Prometheus. Primary thread, which has the rows of all workers: one scrape tells all threads.
 * Labels are bounded: models by `Traffic.labelOf`, outcomes by our own list. Never a key, a caller or an address.
 */
import { isAnswered } from "@gemini-gateway/core/traffic/tally";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { RequestRow } from "../../protocol.ts";
import { type Snapshot, SNAPSHOT_METRICS, type SnapshotMetric } from "./gauges.ts";

/** From what a cached answer takes to what a long thought does, seconds. */
const TIME_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640];
const MS_PER_SECOND = 1_000;

export class Metrics {
  readonly #registry = new Registry();
  readonly #byRequest = requestMetrics(this.#registry);
  readonly #bySnapshot = SNAPSHOT_METRICS.map((metric) => snapshotMetric(metric, this.#registry));

  /** Content type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Takes a request that ended. `model` is the label it is counted under. */
  record(row: RequestRow, model: string): void {
    const { requests, attempts, retries, tokens, bytes, duration, firstByte } = this.#byRequest;
    requests.labels(model, row.outcome).inc();
    attempts.labels(model).inc(row.attempts);
    if (row.attempts > 1) retries.labels(model).inc(row.attempts - 1);
    tokens.labels(model, "prompt").inc(row.promptTokens);
    tokens.labels(model, "output").inc(row.outputTokens);
    bytes.labels("in").inc(row.bytesIn);
    bytes.labels("out").inc(row.bytesOut);
    if (!isAnswered(row.outcome)) return;
    duration.labels(model).observe(row.durationMs / MS_PER_SECOND);
    if (row.firstByteMs >= 0) firstByte.labels(model).observe(row.firstByteMs / MS_PER_SECOND);
  }

  /** Everything in Prometheus's text format. */
  text(snapshot: Snapshot): Promise<string> {
    for (const set of this.#bySnapshot) set(snapshot);
    return this.#registry.metrics();
  }
}

interface RequestMetrics {
  readonly requests: Counter;
  readonly attempts: Counter;
  readonly retries: Counter;
  readonly tokens: Counter;
  readonly bytes: Counter;
  readonly duration: Histogram;
  readonly firstByte: Histogram;
}

function requestMetrics(registry: Registry): RequestMetrics {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[]): Counter =>
    new Counter({ name: `gemini_gateway_${name}`, help, labelNames, registers });
  const times = (name: string, help: string): Histogram =>
    new Histogram({
      name: `gemini_gateway_${name}`,
      help: `${help}; of answered requests`,
      labelNames: ["model"],
      buckets: TIME_BUCKETS,
      registers,
    });
  return {
    requests: counter("requests_total", "Requests that ended, by model and outcome", ["model", "outcome"]),
    attempts: counter("upstream_attempts_total", "Calls to the upstream", ["model"]),
    retries: counter("retries_total", "Calls to the upstream after the first of a request", ["model"]),
    tokens: counter("tokens_total", "Tokens as Google counted them", ["model", "direction"]),
    bytes: counter("body_bytes_total", "Bytes of request bodies (in) and answers (out)", ["direction"]),
    duration: times("request_duration_seconds", "Time from a request's arrival to the end of its answer"),
    firstByte: times(
      "time_to_first_byte_seconds",
      "Time from a request's arrival to the first byte of its answer",
    ),
  };
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
