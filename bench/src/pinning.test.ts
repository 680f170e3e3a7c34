import { expect, test } from "vitest";
import { divisionsOf, pinningOfOne } from "./pinning.ts";

test("a contender of one thread has one core, load and upstream the upper half", () => {
  expect(pinningOfOne(2, true)).toMatchObject({ contender: [0], others: [1] });
  expect(pinningOfOne(8, true)).toMatchObject({ contender: [0], others: [4, 5, 6, 7] });
});

test("each worker has a core, load and upstream the upper half, and many workers are tried on two cores as well", () => {
  expect(divisionsOf([1, 2, 4, 8], 8, true).divisions).toEqual([
    { workers: 1, contender: [0], others: [4, 5, 6, 7] },
    { workers: 2, contender: [0, 1], others: [4, 5, 6, 7] },
    { workers: 4, contender: [0, 1, 2, 3], others: [4, 5, 6, 7] },
    { workers: 4, contender: [0, 1], others: [4, 5, 6, 7] },
    { workers: 8, contender: [0, 1, 2, 3], others: [4, 5, 6, 7] },
    { workers: 8, contender: [0, 1], others: [4, 5, 6, 7] },
  ]);
});

test("on a small machine load and upstream share the cores of the gateway, one worker's single core too", () => {
  expect(divisionsOf([1, 8], 2, true).divisions).toEqual([
    { workers: 1, contender: [0], others: [0] },
    { workers: 8, contender: [0, 1], others: [0, 1] },
  ]);
});

test("where nothing can be pinned all cores are shared, and the report says why", () => {
  const nothing = { contender: undefined, others: undefined };
  expect(divisionsOf([2], 2, false).divisions).toEqual([{ workers: 2, ...nothing }]);
  expect(pinningOfOne(1, true)).toMatchObject(nothing);
  expect(pinningOfOne(8, false).sentence).toContain("no taskset");
});
