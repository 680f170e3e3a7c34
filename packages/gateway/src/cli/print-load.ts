/** Puts what came of a load into words. Pure. */
import type { RecordableHistogram } from "node:perf_hooks";
import type { LoadTally } from "../load-test/load.ts";

/** The quantiles that are told, with their names. */
const QUANTILES = [
  ["p50", 50],
  ["p99", 99],
  ["p99.9", 99.9],
  ["max", 100],
] as const;

/** A few lines for people. */
export function loadText(tally: LoadTally): string {
  return [
    `Requests/s   ${rateOf(tally).toFixed(1)}, ${answersOf(tally)} answered in ${(tally.elapsedMs / 1000).toFixed(1)} s`,
    `Answers      ${listed(tally.answers)}`,
    `Failed       ${tally.failures.size === 0 ? "none" : listed(tally.failures)}`,
    `First byte   ${latencyText(tally.firstByteUs)}`,
    `Whole answer ${latencyText(tally.answerUs)}`,
    ...(tally.isGivenUp ? ["Given up: one request after the other was refused."] : []),
  ].join("\n");
}

/** One line while it runs. */
export function loadProgress(tally: LoadTally, durationMs: number): string {
  const seconds = `${Math.floor(tally.elapsedMs / 1000)} of ${Math.round(durationMs / 1000)} s`;
  return `${seconds}: ${answersOf(tally)} answered, ${rateOf(tally).toFixed(0)} a second`;
}

/** The same for programs: milliseconds, counts by status and by code. */
export function loadJson(tally: LoadTally): object {
  return {
    elapsedMs: Math.round(tally.elapsedMs),
    requestsPerSecond: rateOf(tally),
    answers: Object.fromEntries(tally.answers),
    failures: Object.fromEntries(tally.failures),
    firstByteMs: latencyJson(tally.firstByteUs),
    answerMs: latencyJson(tally.answerUs),
    isGivenUp: tally.isGivenUp,
  };
}

/** Whether at least one request was served. */
export function hasServed({ answers }: LoadTally): boolean {
  return (answers.get(200) ?? 0) > 0;
}

function answersOf({ answers }: LoadTally): number {
  return answers.values().reduce((sum, count) => sum + count, 0);
}

function rateOf(tally: LoadTally): number {
  return tally.elapsedMs === 0 ? 0 : (answersOf(tally) * 1000) / tally.elapsedMs;
}

/** `200: 1234, 429: 3`, the most frequent first. */
function listed(counts: ReadonlyMap<string | number, number>): string {
  if (counts.size === 0) return "none";
  return [...counts]
    .toSorted(([, left], [, right]) => right - left)
    .map(([name, count]) => `${name}: ${count}`)
    .join(", ");
}

function latencyText(histogram: RecordableHistogram): string {
  if (histogram.count === 0) return "-";
  return QUANTILES.map(([name, share]) => `${name} ${quantileMs(histogram, share).toFixed(1)} ms`).join(", ");
}

function latencyJson(histogram: RecordableHistogram): object | null {
  if (histogram.count === 0) return null;
  return Object.fromEntries(QUANTILES.map(([name, share]) => [name, quantileMs(histogram, share)]));
}

function quantileMs(histogram: RecordableHistogram, share: number): number {
  return histogram.percentile(share) / 1000;
}
