/**
 * Writes rows of the request log. Most of what an insert costs is the handing over of its values one by one, so rows that
 * follow each other and have much in common are written by one statement that takes that only once.
 * Primary thread; within a transaction of the caller's.
 */
import type Database from "better-sqlite3";
import type { RequestLogRow } from "./rows.ts";

type Value = string | number | null;

/** Rows of one statement, most first; the last must be 1. */
const RUN_LENGTHS = [64, 16, 4, 1] as const;
const SHARED_COLUMNS = "method, path, model, status, outcome, attempts, client, reason, address";
const SHARED = 9;
const OWN_COLUMNS =
  "at_ms, request_id, first_byte_ms, duration_ms, bytes_in, bytes_out, prompt_tokens, output_tokens, total_tokens, key_id";
const OWN = 10;

/** Inserts rows in their order. */
export function requestInsert(database: Database.Database): (rows: readonly RequestLogRow[]) => void {
  const statements = RUN_LENGTHS.map((length) => ({
    length,
    statement: database.prepare<[Value[]]>(insertOf(length)),
  }));
  return (rows) => {
    let start = 0;
    while (start < rows.length) {
      const alike = runLength(rows, start);
      for (const { length, statement } of statements) {
        if (length > alike) continue;
        statement.run(valuesOf(rows, start, length));
        start += length;
        break;
      }
    }
  };
}

function insertOf(rows: number): string {
  return `INSERT INTO request_log (${SHARED_COLUMNS}, ${OWN_COLUMNS})
    SELECT shared.*, own.* FROM (VALUES ${marks(SHARED)}) AS shared
    CROSS JOIN (VALUES ${Array.from({ length: rows }, () => marks(OWN)).join(", ")}) AS own`;
}

function marks(count: number): string {
  return `(${"?, ".repeat(count - 1)}?)`;
}

/** How many rows from `start` on are alike, as far as it matters. */
function runLength(rows: readonly RequestLogRow[], start: number): number {
  const first = rows[start] as RequestLogRow;
  const end = Math.min(rows.length, start + RUN_LENGTHS[0]);
  let next = start + 1;
  while (next < end && isAlike(first, rows[next] as RequestLogRow)) next += 1;
  return next - start;
}

function isAlike(one: RequestLogRow, other: RequestLogRow): boolean {
  return (
    one.client === other.client &&
    one.address === other.address &&
    one.model === other.model &&
    one.outcome === other.outcome &&
    one.status === other.status &&
    one.attempts === other.attempts &&
    one.reason === other.reason &&
    one.method === other.method &&
    one.path === other.path
  );
}

/** Whole milliseconds: the columns are strict integers, and a monotonic clock gives fractions. */
function valuesOf(rows: readonly RequestLogRow[], start: number, length: number): Value[] {
  const { method, path, model, status, outcome, attempts, client, reason, address } = rows[
    start
  ] as RequestLogRow;
  const values: Value[] = [method, path, model, status, outcome, attempts, client, reason, address];
  for (let index = start; index < start + length; index += 1) {
    const row = rows[index] as RequestLogRow;
    values.push(
      Math.round(row.atMs),
      row.requestId,
      row.firstByteMs === null ? null : Math.round(row.firstByteMs),
      Math.round(row.durationMs),
      row.bytesIn,
      row.bytesOut,
      row.promptTokens,
      row.outputTokens,
      row.totalTokens,
      row.keyId,
    );
  }
  return values;
}
