import fc from "fast-check";
import { expect, it } from "vitest";
import type { Evidence, Outcome } from "../outcome.ts";
import { afterReturnMs, DEFAULT_PROBE_INTERVALS, nextTestMs, pulledForwardMs } from "./intervals.ts";

const NOW = 1_700_000_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const intervals = DEFAULT_PROBE_INTERVALS;

function evidence(httpStatus: number): Evidence {
  return { httpStatus, reason: "", message: "" };
}

/** Wait until the next test without chance: the longest it can be. */
function waitMs(outcome: Outcome, repeats = 1): number {
  return nextTestMs(outcome, repeats, { nowMs: NOW, intervals, random: 0 }) - NOW;
}

it.each<[string, Outcome, number]>([
  ["200", { kind: "served" }, 12 * HOUR_MS],
  ["403, the key", { kind: "key-dead", reason: "leaked", evidence: evidence(403) }, 10 * DAY_MS],
  [
    "403, its settings",
    { kind: "key-misconfigured", reason: "ip-blocked", evidence: evidence(403) },
    10 * DAY_MS,
  ],
  ["403, the model", { kind: "model-unavailable", evidence: evidence(403) }, 10 * DAY_MS],
  ["400, the key", { kind: "key-dead", reason: "invalid", evidence: evidence(400) }, DAY_MS],
  ["402", { kind: "billing", evidence: evidence(402) }, DAY_MS],
  ["404", { kind: "model-unavailable", evidence: evidence(404) }, DAY_MS],
  ["another 400", { kind: "caller-fault", evidence: evidence(400) }, DAY_MS],
  ["503", { kind: "overloaded", evidence: evidence(503) }, 10 * MINUTE_MS],
  ["429 that names no quota", { kind: "overloaded", evidence: evidence(429) }, 10 * MINUTE_MS],
  ["our own network", { kind: "network", evidence: evidence(0) }, MINUTE_MS],
  ["our own country", { kind: "location", evidence: evidence(400) }, MINUTE_MS],
])("after %s the next test waits as configured", (_name, outcome, wait) => {
  expect(waitMs(outcome)).toBe(wait);
});

it("after a quota error the next test comes when the quota returns, and not before", () => {
  const day: Outcome = {
    kind: "quota-day",
    untilMs: NOW + 5 * HOUR_MS,
    retryAfterMs: 7_000,
    evidence: evidence(429),
  };
  const minute: Outcome = { kind: "quota-minute", retryAfterMs: 20_000, evidence: evidence(429) };
  for (const random of [0, 0.999]) {
    const context = { nowMs: NOW, intervals, random };
    expect(nextTestMs(day, 1, context)).toBeGreaterThan(NOW + 5 * HOUR_MS);
    expect(nextTestMs(day, 1, context)).toBeLessThan(NOW + 6 * HOUR_MS);
    expect(nextTestMs(minute, 1, context)).toBeGreaterThan(NOW + 20_000);
    expect(nextTestMs(minute, 1, context)).toBeLessThan(NOW + 25_000);
  }
});

it("waits grow while a refusal or a network fault repeats, and are bounded", () => {
  const refused: Outcome = { kind: "key-dead", reason: "invalid", evidence: evidence(400) };
  expect([1, 2, 3, 4, 50].map((repeats) => waitMs(refused, repeats) / DAY_MS)).toEqual([1, 2, 4, 8, 8]);
  const cutOff: Outcome = { kind: "network", evidence: evidence(0) };
  expect([1, 2, 3, 4, 50].map((repeats) => waitMs(cutOff, repeats) / MINUTE_MS)).toEqual([1, 2, 4, 8, 8]);
});

it("chance spreads the tests, and never makes one later than configured nor earlier than nine tenths", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
      const context = { nowMs: NOW, intervals, random };
      const next = nextTestMs({ kind: "served" }, 1, context) - NOW;
      expect(next).toBeLessThanOrEqual(intervals.servedMs);
      expect(next).toBeGreaterThanOrEqual(0.9 * intervals.servedMs);
      const pulled = pulledForwardMs(context) - NOW;
      expect(pulled).toBeLessThanOrEqual(intervals.afterFailureMs);
      const returnMs = NOW + Math.floor(random * DAY_MS);
      expect(afterReturnMs(returnMs, context)).toBeGreaterThan(returnMs);
    }),
  );
});
