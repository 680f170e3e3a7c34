import fc from "fast-check";
import { expect, test } from "vitest";
import { TRIAL_GROWTH_MAX, jitteredBackoffMs, trialDelayMs } from "./backoff.ts";

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("a backoff doubles up to its maximum and is never less than half of what it could be", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), random, (failures, chance) => {
      const ceilingMs = Math.min(30_000, 500 * 2 ** (failures - 1));
      const delayMs = jitteredBackoffMs(failures, 500, 30_000, chance);
      expect(delayMs).toBeGreaterThanOrEqual(ceilingMs / 2);
      expect(delayMs).toBeLessThanOrEqual(Math.ceil(ceilingMs));
    }),
  );
});

test("a backoff with the same chance grows from failure to failure until it is full", () => {
  const delays = [1, 2, 3, 4].map((failures) => jitteredBackoffMs(failures, 500, 30_000, 0.5));
  expect(delays).toEqual([375, 750, 1500, 3000]);
});

test("a trial is put off longer with each failure, within its bound and its spread", () => {
  expect([1, 2, 3, 4, 5, 50].map((failures) => trialDelayMs(failures, 1000, 0.5))).toEqual([
    1000,
    2000,
    4000,
    8000,
    1000 * TRIAL_GROWTH_MAX,
    1000 * TRIAL_GROWTH_MAX,
  ]);
  expect(trialDelayMs(1, 1000, 0)).toBe(900);
});
