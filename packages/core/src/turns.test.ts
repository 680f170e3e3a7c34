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
      const list = new PlainList();
      const taken = steps.map((each) => run(turns, each));
      expect(taken).toEqual(steps.map((each) => run(list, each)));
      expect(turns.all()).toEqual(list.all());
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

type Line = Pick<Turns<number>, "push" | "take" | "takeFirst" | "takeAll" | "all">;

/** Runs one step; gives back what was taken. */
function run(line: Line, { kind, item }: { readonly kind: keyof Line; readonly item: number }): unknown {
  const isAtLeast = (other: number): boolean => other >= item;
  switch (kind) {
    case "push":
      return line.push(item);
    case "take":
      return line.take();
    case "takeFirst":
      return line.takeFirst(isAtLeast);
    case "takeAll":
      return line.takeAll(isAtLeast);
    case "all":
      return [...line.all()];
  }
}

/** The same in the obvious way. */
class PlainList implements Line {
  #items: number[] = [];

  push(item: number): void {
    this.#items.push(item);
  }

  take(): number | undefined {
    return this.#items.shift();
  }

  takeFirst(passes: (item: number) => boolean): number | undefined {
    const index = this.#items.findIndex(passes);
    return index < 0 ? undefined : this.#items.splice(index, 1)[0];
  }

  takeAll(passes: (item: number) => boolean): number[] {
    const taken = this.#items.filter(passes);
    this.#items = this.#items.filter((item) => !passes(item));
    return taken;
  }

  all(): readonly number[] {
    return this.#items;
  }
}
