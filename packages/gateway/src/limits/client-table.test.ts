import { expect, test } from "vitest";
import { allocateClientTable, ClientTable } from "./client-table.ts";

const FREE = { requestsPerMinute: 0, requestsPerDay: 0, tokensPerMinute: 0, tokensPerDay: 0, concurrency: 0 };
const NOW_MS = 1_000_000;
const ENTRY = { index: 5, generation: 1 };

function tables(): readonly [ClientTable, ClientTable, ClientTable] {
  const memory = allocateClientTable();
  const primary = new ClientTable(memory, 256);
  primary.open(ENTRY);
  return [primary, new ClientTable(memory, 0), new ClientTable(memory, 1)];
}

test("requests in progress are counted over all workers, and those of a dead one come back", () => {
  const [primary, one, other] = tables();
  const limits = { ...FREE, concurrency: 2 };
  expect(one.enter(ENTRY, limits, NOW_MS)).toBeUndefined();
  expect(other.enter(ENTRY, limits, NOW_MS)).toBeUndefined();
  expect(one.enter(ENTRY, limits, NOW_MS)).toEqual({ limit: "concurrency", retryAfterMs: undefined });
  other.leave(ENTRY, 0, NOW_MS);
  expect(one.enter(ENTRY, limits, NOW_MS)).toBeUndefined();
  expect(other.enter(ENTRY, limits, NOW_MS)?.limit).toBe("concurrency");
  primary.reclaim(0);
  expect(other.enter(ENTRY, limits, NOW_MS)).toBeUndefined();
});

test("what is refused is not charged", () => {
  const [, one] = tables();
  const limits = { ...FREE, requestsPerMinute: 10, concurrency: 1 };
  expect(one.enter(ENTRY, limits, NOW_MS)).toBeUndefined();
  for (let time = 0; time < 50; time += 1) expect(one.enter(ENTRY, limits, NOW_MS)).toBeDefined();
  one.leave(ENTRY, 0, NOW_MS);
  expect(one.enter(ENTRY, limits, NOW_MS)).toBeUndefined();
});

test("tokens are charged at the end, and hold back the next request", () => {
  const [, one, other] = tables();
  const limits = { ...FREE, tokensPerMinute: 100 };
  expect(one.enter(ENTRY, limits, NOW_MS)).toBeUndefined();
  one.leave(ENTRY, 150, NOW_MS);
  expect(other.enter(ENTRY, limits, NOW_MS)?.limit).toBe("tokens");
});

test("the end of a revoked client's request does not count for the entry's next owner", () => {
  const [primary, one] = tables();
  expect(one.enter(ENTRY, FREE, NOW_MS)).toBeUndefined();
  const next = { index: ENTRY.index, generation: 2 };
  primary.open(next);
  const limits = { ...FREE, concurrency: 1, tokensPerDay: 10 };
  expect(one.enter(next, limits, NOW_MS)).toBeUndefined();
  one.leave(ENTRY, 1_000, NOW_MS);
  expect(one.enter(next, limits, NOW_MS)?.limit).toBe("concurrency");
});
