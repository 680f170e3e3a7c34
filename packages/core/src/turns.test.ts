import { array, assert, constant, integer, oneof, property, record } from "fast-check";
import { expect, it } from "vitest";
import { Turns } from "./turns.ts";

const step = oneof(
  record({ kind: constant("push" as const), item: integer({ min: 0, max: 9 }) }),
  record({ kind: constant("take" as const), item: constant(0) }),
  record({ kind: constant("takeFirst" as const), item: integer({ min: 0, max: 9 }) }),
  record({ kind: constant("takeAll" as const), item: integer({ min: 0, max: 9 }) }),
);

it("is a plain list from which the first leaves", () => {
  assert(
    property(array(step, { maxLength: 400 }), (steps) => {
      const turns = new Turns<number>();
      let list: number[] = [];
      for (const { kind, item } of steps) {
        const isAtLeast = (other: number): boolean => other >= item;
        if (kind === "push") {
          turns.push(item);
          list.push(item);
        } else if (kind === "take") {
          expect(turns.take()).toBe(list.shift());
        } else if (kind === "takeFirst") {
          const index = list.findIndex(isAtLeast);
          expect(turns.takeFirst(isAtLeast)).toBe(index < 0 ? undefined : list.splice(index, 1)[0]);
        } else {
          expect(turns.takeAll(isAtLeast)).toEqual(list.filter(isAtLeast));
          list = list.filter((other) => !isAtLeast(other));
        }
      }
      expect(turns.all()).toEqual(list);
    }),
  );
});

it("keeps its order over many turns", () => {
  const turns = new Turns<number>();
  for (let item = 0; item < 10; item += 1) turns.push(item);
  for (let turn = 0; turn < 1_000; turn += 1) {
    const item = turns.take() as number;
    expect(item).toBe(turn % 10);
    turns.push(item);
  }
});
