import { describe, expect, it } from "vitest";
import { figureOf, growthOf, latenciesOf, quantileOfSorted, ratioOf } from "./statistics.ts";

describe("a figure", () => {
  it("is the median of its rounds with the least and the greatest, in the order measured", () => {
    expect(figureOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, rounds: [3, 1, 2] });
    expect(figureOf([4, 1, 2, 3]).median).toBe(2.5);
    expect(figureOf([7])).toEqual({ median: 7, min: 7, max: 7, rounds: [7] });
  });

  it("needs a round", () => {
    expect(() => figureOf([])).toThrow(RangeError);
  });
});

describe("a ratio", () => {
  it("is taken round by round, so that a disturbance of both cancels out", () => {
    expect(ratioOf(figureOf([20, 200]), figureOf([10, 100]))).toMatchObject({ median: 2, min: 2, max: 2 });
  });

  it("is not made up where the rounds do not pair or nothing can be divided by", () => {
    expect(ratioOf(figureOf([1, 2]), figureOf([1]))).toBeUndefined();
    expect(ratioOf(figureOf([1]), figureOf([0]))).toBeUndefined();
    expect(ratioOf(figureOf([1]), figureOf([-1]))).toBeUndefined();
  });
});

describe("quantiles", () => {
  it("lie on the line between the neighbours", () => {
    expect(quantileOfSorted([0, 10], 0.25)).toBe(2.5);
    expect(quantileOfSorted([5], 0.999)).toBe(5);
    expect(quantileOfSorted([], 0.5)).toBeNaN();
  });

  it("of latencies do not depend on their order", () => {
    const values = Array.from({ length: 1001 }, (_, index) => (index * 8) % 1001);
    expect(latenciesOf(values)).toEqual({ p50: 500, p99: 990, p999: 999, max: 1000, count: 1001 });
  });
});

describe("growth", () => {
  it("is that of the line through all but the first third", () => {
    const warmUp = [0, 1, 2].map((at) => [at, 50 * at] as const);
    const rest = [3, 4, 5, 6, 7, 8].map((at) => [at, 200 + 4 * (at - 3)] as const);
    expect(growthOf([...warmUp, ...rest])).toEqual({ first: 200, last: 220, share: 0.1 });
  });

  it("of a value that only swings is small", () => {
    const points = Array.from({ length: 30 }, (_, at) => [at, at % 2 === 0 ? 100 : 110] as const);
    expect(Math.abs(growthOf(points).share)).toBeLessThan(0.02);
  });

  it("of too few points is not known", () => {
    expect(growthOf([[0, 1]]).share).toBeNaN();
  });
});
