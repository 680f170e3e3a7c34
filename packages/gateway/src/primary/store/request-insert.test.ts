import { array, assert, constantFrom, integer, option, property, record } from "fast-check";
import { expect, it } from "vitest";
import { memoryDatabase } from "./open-database.ts";
import { requestLog } from "./request-log.ts";
import { requestLogReader } from "./request-log-reader.ts";
import type { RequestLogRow } from "./rows.ts";

const whole = integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const maybe = option(whole, { nil: null });

/** What is shared has few values, so that runs of every length come up. */
const ROW = record<RequestLogRow>({
  atMs: whole,
  requestId: constantFrom("r-1", "r-2"),
  method: constantFrom("POST", "POST", "GET"),
  path: constantFrom("/a", "/a", "/b'; DROP TABLE request_log"),
  model: constantFrom("m", null),
  status: constantFrom(200, 200, 503),
  outcome: constantFrom("served", "served", "network"),
  reason: constantFrom(null, null, "why"),
  attempts: constantFrom(1, 1, 1, 2),
  firstByteMs: maybe,
  durationMs: whole,
  bytesIn: whole,
  bytesOut: whole,
  promptTokens: maybe,
  outputTokens: maybe,
  totalTokens: maybe,
  keyId: constantFrom(null),
  client: constantFrom("c", null),
  address: constantFrom(null, "127.0.0.1"),
});

it("stores every column of every row, in order, whatever rows have in common", () => {
  assert(
    property(array(ROW, { maxLength: 20 }), integer({ min: 1, max: 90 }), (rows, repeats) => {
      const all = rows.flatMap((row) => Array.from({ length: row.status === 200 ? repeats : 1 }, () => row));
      using database = memoryDatabaseForTest();
      requestLog(database.file).append(all);
      const stored = requestLogReader(database.file).latest({}, all.length + 1);
      const expected = all.map(({ keyId: _keyId, ...row }, index) => ({
        ...row,
        id: index + 1,
        fingerprint: null,
      }));
      expect(stored).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});

it("rounds times to whole milliseconds and keeps the key", () => {
  using database = memoryDatabaseForTest();
  const row = { ...ROW_ALONE, atMs: 10.6, firstByteMs: 1.4, durationMs: 2.5, keyId: 7 };
  requestLog(database.file).append([row]);
  expect(
    database.file.prepare("SELECT at_ms, first_byte_ms, duration_ms, key_id FROM request_log").get(),
  ).toEqual({ at_ms: 11, first_byte_ms: 1, duration_ms: 3, key_id: 7 });
});

const ROW_ALONE: RequestLogRow = {
  atMs: 1,
  requestId: "r-1",
  method: "POST",
  path: "/a",
  model: "m",
  status: 200,
  outcome: "served",
  reason: null,
  attempts: 1,
  firstByteMs: 1,
  durationMs: 1,
  bytesIn: 0,
  bytesOut: 0,
  promptTokens: null,
  outputTokens: null,
  totalTokens: null,
  keyId: null,
  client: null,
  address: null,
};

function memoryDatabaseForTest(): Disposable & { readonly file: ReturnType<typeof memoryDatabase> } {
  const file = memoryDatabase();
  return { file, [Symbol.dispose]: () => file.close() };
}
