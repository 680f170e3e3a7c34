import fc from "fast-check";
import { expect, test } from "vitest";
import { Alarms } from "./alarms.ts";
import type { Alarmed } from "./alarms.ts";
import { Link, unlink } from "./link.ts";
import { LEVELS_MAX, LoadLevels } from "./load-levels.ts";
import { Roster } from "./roster.ts";

test("alarms ring in the order of their moments, however they were set, moved and cleared", () => {
  const step = fc.tuple(fc.nat(19), fc.option(fc.nat(1_000), { nil: undefined }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const items: Alarmed[] = Array.from({ length: 20 }, () => ({ alarmAtMs: 0, alarmIndex: -1 }));
      const expected = new Map<Alarmed, number>();
      const alarms = new Alarms<Alarmed>();
      for (const [index, atMs] of steps) {
        const item = items[index] as Alarmed;
        alarms.set(item, atMs);
        if (atMs === undefined) expected.delete(item);
        else expected.set(item, atMs);
      }
      expect(alarms.size).toBe(expected.size);
      const rung: number[] = [];
      for (let item = alarms.takeDue(1_000); item !== undefined; item = alarms.takeDue(1_000)) {
        rung.push(expected.get(item) as number);
        expect(item.alarmIndex).toBe(-1);
      }
      expect(rung).toEqual([...expected.values()].toSorted((a, b) => a - b));
    }),
  );
});

test("the earliest alarm that fits is found past those that do not, within the items to be seen", () => {
  const moments = fc.array(fc.record({ atMs: fc.nat(100), isFit: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(moments, fc.integer({ min: 1, max: 80 }), (each, seenMax) => {
      const alarms = new Alarms<Alarmed & { isFit: boolean }>();
      for (const { atMs, isFit } of each) alarms.set({ isFit, alarmAtMs: 0, alarmIndex: -1 }, atMs);
      const fitting = each.filter(({ isFit }) => isFit).map(({ atMs }) => atMs);
      const earliestMs = fitting.length === 0 ? undefined : Math.min(...fitting);
      let asked = 0;
      const isFit = (item: { isFit: boolean }): boolean => ++asked > 0 && item.isFit;
      const foundMs = alarms.nextAtMsOf(isFit, seenMax);
      expect(asked).toBeLessThanOrEqual(seenMax);
      // Two places below each that does not fit, and the first.
      const isSeenWhole = seenMax > 2 * (each.length - fitting.length);
      expect(isSeenWhole ? [earliestMs] : [undefined, ...fitting]).toContain(foundMs);
    }),
  );
});

test("no alarm rings before its moment", () => {
  const alarms = new Alarms<Alarmed>();
  alarms.set({ alarmAtMs: 0, alarmIndex: -1 }, 100);
  expect(alarms.takeDue(99)).toBeUndefined();
  expect(alarms.nextAtMs).toBe(100);
});

test("load levels give the least loaded item, and among equals the one put there first", () => {
  const step = fc.tuple(fc.nat(9), fc.option(fc.nat(LEVELS_MAX + 10), { nil: undefined }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const links = Array.from({ length: 10 }, (_, index) => new Link(index));
      const levels = new LoadLevels<number>();
      // The model: a map keeps the order of insertion, and an item put again goes last.
      const model = new Map<number, number>();
      for (const [index, load] of steps) {
        model.delete(index);
        if (load === undefined) unlink(links[index] as Link<number>);
        else {
          levels.put(links[index] as Link<number>, load);
          model.set(index, Math.min(load, LEVELS_MAX - 1));
        }
        const [least] = [...model].toSorted((a, b) => a[1] - b[1]);
        expect(levels.least(() => true)).toBe(least?.[0]);
      }
    }),
  );
});

test("absorbed items keep their load and leave their old levels", () => {
  const [from, to] = [new LoadLevels<string>(), new LoadLevels<string>()];
  to.put(new Link("b"), 1);
  from.put(new Link("c"), 1);
  from.put(new Link("a"), 0);
  to.absorb(from);
  const order: string[] = [];
  to.least((item) => order.push(item) < 0);
  expect(order).toEqual(["a", "b", "c"]);
  expect(from.least(() => true)).toBeUndefined();
});

test("every cursor meets every item that joins the roster, whatever leaves meanwhile", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("add" as const), index: fc.nat(2_999) }),
    fc.record({ kind: fc.constant("remove" as const), index: fc.nat(2_999) }),
    fc.record({ kind: fc.constant("walk" as const), steps: fc.nat(1_500) }),
    fc.record({ kind: fc.constant("empty" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const items = Array.from({ length: 3_000 }, () => ({ rosterIndex: -1 }));
      const roster = new Roster<(typeof items)[number]>();
      const cursor = roster.addCursor();
      const unmet = new Set<(typeof items)[number]>(items);
      for (const item of items) roster.add(item);
      const walk = (count: number): void => {
        for (let taken = 0; taken < count; taken++) {
          const item = roster.next(cursor);
          if (item === undefined) return;
          expect(unmet.delete(item)).toBe(true);
        }
      };
      for (const each of steps) {
        if (each.kind === "walk") walk(each.steps);
        else if (each.kind === "empty") {
          for (const item of items.slice(0, 2_500)) {
            roster.remove(item);
            unmet.delete(item);
          }
        } else {
          const item = items[each.index] as (typeof items)[number];
          if (each.kind === "remove") {
            roster.remove(item);
            unmet.delete(item);
          } else if (item.rosterIndex < 0) {
            roster.add(item);
            unmet.add(item);
          }
        }
      }
      walk(Infinity);
      expect(unmet.size).toBe(0);
    }),
    { numRuns: 40 },
  );
});

test("a spread is of items evenly apart, the same ones each time, whatever has left", () => {
  const items = Array.from({ length: 200 }, (_, number) => ({ number, rosterIndex: -1 }));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.array(fc.nat(199), { maxLength: 60 }), (max, leaving) => {
      const roster = new Roster<(typeof items)[number]>();
      for (const item of items) {
        item.rosterIndex = -1;
        roster.add(item);
      }
      for (const number of leaving) roster.remove(items[number] as (typeof items)[number]);
      const numbers = roster.spread(max).map(({ number }) => number);
      expect(roster.spread(max).map(({ number }) => number)).toEqual(numbers);
      expect(numbers.length).toBeLessThanOrEqual(max);
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(numbers.some((number) => leaving.includes(number))).toBe(false);
      // A place may be empty with all around it.
      expect(numbers.length + leaving.length).toBeGreaterThanOrEqual(Math.min(max, 200));
    }),
  );
});
