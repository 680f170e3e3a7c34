/**
 * The metrics that grow with every request, counted in plain numbers: a client library's counters look their labels up
 * for each increment, which cost the primary 2 µs a request. Primary thread; pure. Labels are bounded by whoever records.
 */
import { isAnswered } from "@gemini-gateway/core/traffic/tally";
import type { RequestRow } from "../../request-row.ts";
import { metricText, type TextMetric, type TextSample } from "./exposition.ts";

/** From what a cached answer takes to what a long thought does, seconds. */
const TIME_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640] as const;
const MS_PER_SECOND = 1_000;
const NAME_START = "gemini_gateway_";

/** How long something took: how often up to each of {@link TIME_BUCKETS} and no less than the one before. */
class Times {
  readonly #counts = new Float64Array(TIME_BUCKETS.length + 1);
  #sum = 0;
  count = 0;

  record(valueMs: number): void {
    const seconds = valueMs / MS_PER_SECOND;
    let bucket = 0;
    while (seconds > (TIME_BUCKETS[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += seconds;
    this.count += 1;
  }

  /** Counts add up from bucket to bucket, as the format wants it. */
  samples(model: string): TextSample[] {
    let upTo = 0;
    const buckets = [...this.#counts].map((count, bucket): TextSample => {
      upTo += count;
      return {
        suffix: "_bucket",
        labels: { le: String(TIME_BUCKETS[bucket] ?? "+Inf"), model },
        value: upTo,
      };
    });
    return [
      ...buckets,
      { suffix: "_sum", labels: { model }, value: this.#sum },
      { suffix: "_count", labels: { model }, value: this.count },
    ];
  }
}

class ModelCounts {
  readonly byOutcome = new Map<string, number>();
  attempts = 0;
  retries = 0;
  promptTokens = 0;
  outputTokens = 0;
  readonly duration = new Times();
  readonly firstByte = new Times();
}

export class RequestCounts {
  readonly #models = new Map<string, ModelCounts>();
  #bytesIn = 0;
  #bytesOut = 0;

  /** Takes a request that ended. `model` is the label it is counted under. */
  record(row: RequestRow, model: string): void {
    let counts = this.#models.get(model);
    if (counts === undefined) this.#models.set(model, (counts = new ModelCounts()));
    counts.byOutcome.set(row.outcome, (counts.byOutcome.get(row.outcome) ?? 0) + 1);
    counts.attempts += row.attempts;
    counts.retries += Math.max(0, row.attempts - 1);
    counts.promptTokens += row.promptTokens;
    counts.outputTokens += row.outputTokens;
    this.#bytesIn += row.bytesIn;
    this.#bytesOut += row.bytesOut;
    if (!isAnswered(row.outcome)) return;
    counts.duration.record(row.durationMs);
    if (row.firstByteMs >= 0) counts.firstByte.record(row.firstByteMs);
  }

  /** All of them in Prometheus's text format. */
  text(): string {
    const models = [...this.#models];
    return [...this.#counters(models), ...timeMetrics(models)]
      .map((metric) => metricText({ ...metric, name: `${NAME_START}${metric.name}` }))
      .join("\n");
  }

  #counters(models: readonly (readonly [string, ModelCounts])[]): TextMetric[] {
    const counter = (name: string, help: string, samples: readonly TextSample[]): TextMetric => ({
      name,
      help,
      type: "counter",
      samples,
    });
    const byModel = (value: (counts: ModelCounts) => number): TextSample[] =>
      models.map(([model, counts]) => ({ labels: { model }, value: value(counts) }));
    const outcomes = models.flatMap(([model, { byOutcome }]) =>
      Array.from(byOutcome, ([outcome, value]): TextSample => ({ labels: { model, outcome }, value })),
    );
    const tokens = models.flatMap(([model, counts]): TextSample[] => [
      { labels: { model, direction: "prompt" }, value: counts.promptTokens },
      { labels: { model, direction: "output" }, value: counts.outputTokens },
    ]);
    const bytes = [
      { labels: { direction: "in" }, value: this.#bytesIn },
      { labels: { direction: "out" }, value: this.#bytesOut },
    ];
    return [
      counter("requests_total", "Requests that ended, by model and outcome", outcomes),
      counter(
        "upstream_attempts_total",
        "Calls to the upstream",
        byModel(({ attempts }) => attempts),
      ),
      counter(
        "retries_total",
        "Calls to the upstream after the first of a request",
        byModel(({ retries }) => retries),
      ),
      counter("tokens_total", "Tokens as Google counted them", tokens),
      counter("body_bytes_total", "Bytes of request bodies (in) and answers (out)", bytes),
    ];
  }
}

function timeMetrics(models: readonly (readonly [string, ModelCounts])[]): TextMetric[] {
  const times = (name: string, help: string, of: (counts: ModelCounts) => Times): TextMetric => ({
    name,
    help: `${help}; of answered requests`,
    type: "histogram",
    samples: models.flatMap(([model, counts]) => (of(counts).count === 0 ? [] : of(counts).samples(model))),
  });
  return [
    times(
      "request_duration_seconds",
      "Time from a request's arrival to the end of its answer",
      ({ duration }) => duration,
    ),
    times(
      "time_to_first_byte_seconds",
      "Time from a request's arrival to the first byte of its answer",
      ({ firstByte }) => firstByte,
    ),
  ];
}
