import { array, assert, constantFrom, double, integer, oneof, property, record, string } from "fast-check";
import { pino } from "pino";
import { expect, it } from "vitest";
import type { RequestRow } from "../request-row.ts";
import { RowCollector, RowList } from "../row-batch.ts";
import { writeRequestLines } from "./request-lines.ts";

/** Anything a name or path from outside may hold: quotes, control characters, half of a pair, long text. */
const text = oneof(
  string({ unit: "binary", maxLength: 300 }),
  constantFrom('"', "\\", "\n\r\t\b\f\u0000\u007F", "\uD800 alone", "\u2028\u2029", "😀"),
);
const number = oneof(integer(), double(), constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0, 1e21));

const ROW = record<RequestRow>({
  atMs: number,
  requestId: text,
  method: text,
  path: text,
  model: text,
  status: integer(),
  outcome: constantFrom("served", "quota-day"),
  reason: text,
  attempts: integer(),
  firstByteMs: number,
  durationMs: number,
  bytesIn: number,
  bytesOut: number,
  promptTokens: number,
  outputTokens: number,
  totalTokens: number,
  keyId: number,
  fingerprint: text,
  client: text,
  address: text,
});

it("writes the very line that pino would write of the same fields", () => {
  assert(
    property(array(ROW, { minLength: 1, maxLength: 5 }), (rows) => {
      expect(linesOf("info", (log) => writeRequestLines(log, listOf(rows)))).toEqual(
        linesOf("info", (log) => {
          for (const row of rows) log.info(fieldsOf(row), "request");
        }),
      );
    }),
  );
});

it("writes nothing where requests are not told of", () => {
  assert(
    property(ROW, (row) => {
      expect(linesOf("warn", (log) => writeRequestLines(log, listOf([row])))).toEqual([]);
    }),
  );
});

/** The fields in the order in which they have always been logged. */
function fieldsOf(row: RequestRow): Record<string, unknown> {
  const { requestId, method, model, status, outcome, reason, bytesIn, bytesOut, client, address } = row;
  const { path, firstByteMs, attempts, durationMs, promptTokens, outputTokens, totalTokens } = row;
  return {
    requestId,
    method,
    model,
    status,
    outcome,
    reason,
    bytesIn,
    bytesOut,
    client,
    address,
    path,
    firstByteMs,
    attempts,
    durationMs,
    promptTokens,
    outputTokens,
    totalTokens,
    key: row.fingerprint,
  };
}

function linesOf(level: string, write: (log: pino.Logger) => void): string[] {
  const lines: string[] = [];
  const timestamp = (): string => ',"time":"2026-01-02T03:04:05.678Z"';
  write(pino({ level, base: null, timestamp }, { write: (line: string) => lines.push(line) }));
  return lines;
}

function listOf(rows: readonly RequestRow[]): RowList {
  const collector = new RowCollector();
  for (const row of rows) collector.add(row);
  const batch = collector.take();
  if (batch === undefined) throw new Error("no rows");
  return new RowList(batch);
}
