import fc from "fast-check";
import { expect, test } from "vitest";
import { Histogram } from "./histogram.ts";

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

const durations = fc.array(fc.double({ min: 1, max: 3_600_000, noNaN: true }), {
  minLength: 1,
});

test("a quantile is within a fifth of the true one, and never beyond the largest value", () => {
  fc.assert(
    fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
      const sorted = values.toSorted((a, b) => a - b);
      const trueMs = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? 0;
      const toldMs = histogramOf(values).quantileMs(q) ?? 0;
      expect(toldMs).toBeGreaterThanOrEqual(trueMs / 1.2);
      expect(toldMs).toBeLessThanOrEqual(Math.min(trueMs * 1.2, sorted.at(-1) ?? 0));
    }),
  );
});

test("a whole millisecond is told as one", () => {
  expect(histogramOf([1, 1]).quantileMs(0)).toBe(1);
});

test("up to one millisecond a quantile is within a millisecond", () => {
  const short = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(short, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
      const sorted = values.toSorted((a, b) => a - b);
      const trueMs = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? 0;
      expect(Math.abs((histogramOf(values).quantileMs(q) ?? 9) - trueMs)).toBeLessThanOrEqual(1);
    }),
  );
});

test("the sum of two tells what one of all values would", () => {
  fc.assert(
    fc.property(durations, durations, (left, right) => {
      const sum = histogramOf(left);
      sum.add(histogramOf(right));
      const whole = histogramOf([...left, ...right]);
      expect(sum.count).toBe(whole.count);
      for (const q of [0.5, 0.9, 0.99]) expect(sum.quantileMs(q)).toBe(whole.quantileMs(q));
    }),
  );
});

test("quantiles do not fall", () => {
  fc.assert(
    fc.property(durations, (values) => {
      const histogram = histogramOf(values);
      const told = [0, 0.5, 0.9, 0.99, 1].map((q) => histogram.quantileMs(q) ?? -1);
      expect(told).toEqual(told.toSorted((a, b) => a - b));
    }),
  );
});

test("without values there is no quantile; values off the scale are counted", () => {
  expect(new Histogram().quantileMs(0.5)).toBeUndefined();
  const histogram = histogramOf([-5, 0, Number.NaN, 1e12]);
  expect(histogram.count).toBe(3);
  expect(histogram.quantileMs(0)).toBeLessThanOrEqual(1);
  expect(histogram.quantileMs(1)).toBeGreaterThan(3_600_000);
});
