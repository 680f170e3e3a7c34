import { expect, test } from "vitest";
import { pinningOfOne, pinningOfSeveral } from "./pinning.ts";

test("a contender of one thread has one core, load and upstream the upper half", () => {
  expect(pinningOfOne(2, true)).toMatchObject({ contender: [0], others: [1] });
  expect(pinningOfOne(8, true)).toMatchObject({ contender: [0], others: [4, 5, 6, 7] });
});

test("more threads have a core for each, as far as the lower half goes", () => {
  expect(pinningOfSeveral(2, 4, true)).toMatchObject({ contender: [0, 1], others: [2, 3] });
  expect(pinningOfSeveral(8, 4, true)).toMatchObject({ contender: [0, 1], others: [2, 3] });
  expect(pinningOfSeveral(1, 4, true)).toMatchObject({ contender: [0], others: [2, 3] });
});

test("a machine too small is shared by all, and the report says why", () => {
  const nothing = { contender: undefined, others: undefined };
  expect(pinningOfSeveral(1, 2, true)).toMatchObject(nothing);
  expect(pinningOfSeveral(2, 2, true).sentence).toContain("2 cores are too few");
  expect(pinningOfOne(1, true)).toMatchObject(nothing);
  expect(pinningOfOne(8, false).sentence).toContain("no taskset");
});
