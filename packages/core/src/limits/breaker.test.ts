import fc from "fast-check";
import { expect, test } from "vitest";
import { type BreakerThresholds, parseThreshold, refusalProbability } from "./breaker.ts";

function thresholds(low: string, high: string): BreakerThresholds {
  const [lowRead, highRead] = [parseThreshold(low), parseThreshold(high)];
  if (lowRead === undefined || highRead === undefined) throw new Error("not a threshold");
  return { low: lowRead, high: highRead };
}

const SHARES = thresholds("5%", "20%");

test.each([
  [1, 1, 0],
  [4, 5, 0],
  [1, 5, 0],
  [1_000, 1_000, 0],
  [200, 1_000, 0],
  [125, 1_000, 0.5],
  [50, 1_000, 1],
  [49, 1_000, 1],
  [1, 1_000, 1],
])("%d healthy of %d keys: anonymous requests are refused with probability %d", (healthy, keys, expected) => {
  expect(refusalProbability(healthy, keys, SHARES)).toBeCloseTo(expected, 10);
});

test.each([
  [9, 1],
  [10, 1],
  [20, 0.5],
  [30, 0],
  [31, 0],
])(
  "thresholds of 10 and 30 keys: with %d healthy the probability is %d, however many keys there are",
  (healthy, expected) => {
    for (const keys of [31, 5_000])
      expect(refusalProbability(healthy, keys, thresholds("10", "30"))).toBe(expected);
  },
);

test("the probability stays within bounds and never grows with the healthy keys", () => {
  const anyThreshold = fc.oneof(
    fc.nat(2_000).map(String),
    fc.nat(100).map((percent) => `${percent}%`),
  );
  fc.assert(
    fc.property(anyThreshold, anyThreshold, fc.integer({ min: 1, max: 2_000 }), (low, high, keys) => {
      let last = 1;
      for (let healthy = 1; healthy <= keys; healthy += Math.max(1, Math.floor(keys / 40))) {
        const probability = refusalProbability(healthy, keys, thresholds(low, high));
        expect(probability).toBeGreaterThanOrEqual(0);
        expect(probability).toBeLessThanOrEqual(last);
        last = probability;
      }
    }),
  );
});

test("without a healthy key the pool speaks for itself", () => {
  expect(refusalProbability(0, 1, SHARES)).toBe(0);
});

test("0 switches it off", () => {
  expect(refusalProbability(1, 1_000, thresholds("0", "0"))).toBe(0);
});

test.each(["", "-1", "1.5", "101%", "20 %", "%", "1e3", "0x10"])("%j is no threshold", (text) => {
  expect(parseThreshold(text)).toBeUndefined();
});
