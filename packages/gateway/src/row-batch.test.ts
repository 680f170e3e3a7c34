import { array, assert, constantFrom, integer, property, record, string } from "fast-check";
import { expect, it } from "vitest";
import type { RequestRow } from "./request-row.ts";
import { RowCollector, RowList } from "./row-batch.ts";
import { requestRow } from "../test/harness/request-row.ts";

const whole = integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const few = integer({ min: 0, max: 3 });

/** Every field of a row, some with few values so that rows have much in common, and some with any. */
const ROW = record<RequestRow>({
  atMs: whole,
  requestId: string(),
  method: constantFrom("GET", "POST"),
  path: string({ maxLength: 2 }),
  model: constantFrom("", "gemini-a", 'odd "\\\u2028 name'),
  status: constantFrom(200, 499, 503),
  outcome: constantFrom("served", "quota-day", "refused"),
  reason: constantFrom("", "any"),
  attempts: few,
  firstByteMs: integer({ min: -1 }),
  durationMs: whole,
  bytesIn: whole,
  bytesOut: whole,
  promptTokens: whole,
  outputTokens: whole,
  totalTokens: whole,
  keyId: whole,
  fingerprint: string({ maxLength: 1 }),
  client: constantFrom("anonymous", "alice"),
  address: string({ maxLength: 1 }),
});

it("gives every row back after it has crossed, with every field", () => {
  assert(
    property(array(ROW, { minLength: 1, maxLength: 200 }), (rows) => {
      expect(crossed(rows)).toEqual(rows);
    }),
  );
});

it("begins anew after each batch", () => {
  const collector = new RowCollector();
  const row = requestRow({ requestId: "first" });
  collector.add(row);
  expect(collector.take()?.requestIds).toEqual(["first"]);
  expect(collector.take()).toBeUndefined();
  collector.add(requestRow({ requestId: "second" }));
  const batch = collector.take();
  expect(batch === undefined ? [] : rowsOf(new RowList(batch))).toEqual([
    requestRow({ requestId: "second" }),
  ]);
});

it("tells what rows have in common once, however the kinds take turns", () => {
  const collector = new RowCollector();
  for (let index = 0; index < 100; index += 1) {
    collector.add(requestRow({ requestId: `r-${index}`, client: `client-${index % 10}`, durationMs: index }));
  }
  expect(collector.take()?.kinds).toHaveLength(10);
});

it("adds the lead of the wall clock to the moment of a row and to nothing else", () => {
  const collector = new RowCollector();
  collector.add(requestRow({ atMs: 1_000, durationMs: 5 }));
  const batch = collector.take();
  expect(batch && new RowList(batch, 250).row(0)).toEqual(requestRow({ atMs: 1_250, durationMs: 5 }));
});

function crossed(rows: readonly RequestRow[]): RequestRow[] {
  const collector = new RowCollector();
  for (const row of rows) collector.add(row);
  const batch = structuredClone(collector.take());
  return batch === undefined ? [] : rowsOf(new RowList(batch));
}

function rowsOf(list: RowList): RequestRow[] {
  return Array.from({ length: list.count }, (_, index) => list.row(index));
}
