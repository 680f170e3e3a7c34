import { createHistogram } from "node:perf_hooks";
import { expect, test } from "vitest";
import { hasServed, loadJson, loadProgress, loadText } from "./print-load.ts";

function tallyOf(answers: readonly (readonly [number, number])[], latenciesUs: readonly number[]) {
  const [firstByteUs, answerUs] = [createHistogram(), createHistogram()];
  for (const latencyUs of latenciesUs) {
    firstByteUs.record(latencyUs);
    answerUs.record(latencyUs * 2);
  }
  return {
    elapsedMs: 2_000,
    answers: new Map(answers),
    failures: new Map([["ECONNRESET", 1]]),
    firstByteUs,
    answerUs,
    isGivenUp: false,
  };
}

const TALLY = tallyOf(
  [
    [429, 3],
    [200, 17],
  ],
  [1_000, 1_500, 2_000],
);

test("a load is told by its rate, what was answered, and how fast", () => {
  expect(loadText(TALLY)).toBe(
    [
      "Requests/s   10.0, 20 answered in 2.0 s",
      "Answers      200: 17, 429: 3",
      "Failed       ECONNRESET: 1",
      "First byte   p50 1.5 ms, p99 2.0 ms, p99.9 2.0 ms, max 2.0 ms",
      "Whole answer p50 3.0 ms, p99 4.0 ms, p99.9 4.0 ms, max 4.0 ms",
    ].join("\n"),
  );
  expect(loadProgress(TALLY, 10_000)).toBe("2 of 10 s: 20 answered, 10 a second");
});

test("without an answer no latency is made up", () => {
  const nothing = { ...tallyOf([], []), elapsedMs: 0, failures: new Map() };
  expect(loadText(nothing)).toContain("Answers      none\nFailed       none\nFirst byte   -");
  expect(loadJson(nothing)).toMatchObject({ requestsPerSecond: 0, firstByteMs: null, answerMs: null });
});

test("answers that are no service do not count as served", () => {
  expect(hasServed(TALLY)).toBe(true);
  expect(hasServed(tallyOf([[429, 3]], []))).toBe(false);
});
