import { expect, test } from "vitest";
import { dueAtMs, PairTable, setDue } from "./pair-table.ts";

function tableOf(keys: number): PairTable {
  const table = new PairTable();
  table.addColumn("m");
  for (let id = 1; id <= keys; id++) table.addKey(id);
  return table;
}

function isDue(table: PairTable, id: number): boolean {
  const place = table.place(id, "m");
  return place !== undefined && Number.isFinite(dueAtMs(place));
}

test("a table that grows copies nothing of what it holds", () => {
  const table = tableOf(1);
  const before = table.place(1, "m")?.column;
  for (let id = 2; id <= 20_000; id++) table.addKey(id);
  expect(before).toBeDefined();
  expect(table.place(1, "m")?.column).toBe(before);
});

test("a walk meets each due pair once, whatever its block, and a slot is used again", () => {
  const table = tableOf(5_000);
  const due = [1, 1_024, 1_025, 4_999];
  for (const id of [...due, 7]) {
    const place = table.place(id, "m");
    if (place !== undefined) setDue(place, 10);
  }
  table.removeKey(7);
  table.addKey(9_000);
  expect(isDue(table, 9_000), "what was known of the key before is gone").toBe(false);
  const met: number[] = [];
  for (;;) {
    const place = table.nextDue(10, { left: 20_000 });
    if (place === undefined) break;
    met.push(place.keyId);
    setDue(place, 20);
  }
  expect(met.toSorted((left, right) => left - right)).toEqual(due);
  expect(table.nextDue(10, { left: 20_000 })).toBeUndefined();
  expect(table.earliestDueMs("m")).toBe(20);
});

test("a walk takes no more steps than it may, and goes on where it stopped", () => {
  const table = tableOf(3_000);
  const place = table.place(2_500, "m");
  if (place !== undefined) setDue(place, 10);
  const turns = [1, 2, 3].map(() => {
    const steps = { left: 1_000 };
    return { found: table.nextDue(10, steps)?.keyId, left: steps.left };
  });
  expect(turns.map(({ found }) => found)).toEqual([undefined, undefined, 2_500]);
  expect(turns.slice(0, 2).map(({ left }) => left)).toEqual([0, 0]);
});

test("a column that is due from the first on draws for a block of keys when that is looked at, and for no free slot", () => {
  const table = tableOf(5_000);
  table.removeKey(3);
  let drawn = 0;
  table.addColumn("learnt", () => 5 + drawn++);
  expect(drawn).toBe(0);
  expect(table.place(1, "learnt")).toBeDefined();
  expect(drawn, "keys of the first block but the one that went").toBe(1_023);
  table.addKey(9_000);
  const added = table.place(9_000, "learnt");
  expect(added && dueAtMs(added), "the slot was free").toBe(Number.POSITIVE_INFINITY);
  expect(table.nextDue(5, { left: 2 * 5_120 })?.keyId, "the walk meets the first that was drawn").toBe(1);
  expect(table.earliestDueMs("learnt")).toBe(5);
  expect(drawn, "and by then all").toBe(4_999);
});

test("a column without anything due stays without a place in memory until it is asked for", () => {
  const table = tableOf(2_000);
  table.addColumn("quiet");
  expect(table.earliestDueMs("quiet")).toBe(Number.POSITIVE_INFINITY);
  expect(table.nextDue(10, { left: 20_000 })).toBeUndefined();
  const place = table.place(1_500, "quiet");
  if (place !== undefined) setDue(place, 7);
  expect(table.earliestDueMs("quiet"), "writing to one says nothing of others").toBe(7);
  expect(table.nextDue(10, { left: 20_000 })?.keyId).toBe(1_500);
});
