/**
 * One row per request, written in batches.
 * Primary thread. Never on the path of a request; must never hold a credential (paths come without them).
 */
import type Database from "better-sqlite3";
import { requestInsert } from "./request-insert.ts";
import type { RequestCounts, RequestLogRow } from "./rows.ts";

/** Rows a caller should hand over at once, at most: a millisecond, which a worker on the same core can wait. */
export const REQUEST_LOG_BATCH_ROWS = 500;

export interface RequestLog {
  /** Appends all rows in one transaction, or none when it throws (disk full). */
  append(rows: readonly RequestLogRow[]): void;
  /** Totals of the requests that arrived at or after `sinceMs`. Reads those rows: keep the span short. */
  counts(sinceMs: number): RequestCounts;
  /** Deletes at most `rowsMax` of the rows that arrived before `beforeMs`, but for the newest row. Returns how many. */
  prune(beforeMs: number, rowsMax: number): number;
  /** Deletes at most `rowsMax` of the oldest rows while there are more than `rowsKept` (at least 1). Returns how many. */
  pruneSurplus(rowsKept: number, rowsMax: number): number;
}

interface RawCount {
  outcome: string;
  requests: number;
  attempts: number;
  prompt_tokens: number;
  output_tokens: number;
}

export function requestLog(database: Database.Database): RequestLog {
  const insert = requestInsert(database);
  const count = database.prepare<[number], RawCount>(
    `SELECT outcome, count(*) AS requests, sum(attempts) AS attempts,
       coalesce(sum(prompt_tokens), 0) AS prompt_tokens, coalesce(sum(output_tokens), 0) AS output_tokens
     FROM request_log WHERE at_ms >= ? GROUP BY outcome`,
  );
  // SQLite gives the next row the highest rowid plus one. While the newest row stays, none is given twice, and whoever
  // follows the log by rowid misses nothing.
  const prune = database.prepare<[number, number]>(
    `DELETE FROM request_log WHERE rowid IN (
       SELECT rowid FROM request_log
       WHERE at_ms < ? AND rowid < (SELECT max(rowid) FROM request_log) ORDER BY at_ms LIMIT ?)`,
  );
  // Rows counted as the distance of first and last: exact but for gaps, and it costs nothing.
  const pruneSurplus = database.prepare<[number, number]>(
    `DELETE FROM request_log WHERE rowid IN (
       SELECT rowid FROM request_log
       WHERE rowid <= (SELECT max(rowid) FROM request_log) - ? ORDER BY rowid LIMIT ?)`,
  );
  return {
    append: database.transaction(insert),
    counts: (sinceMs) => sumCounts(count.all(sinceMs)),
    prune: (beforeMs, rowsMax) => prune.run(beforeMs, rowsMax).changes,
    pruneSurplus: (rowsKept, rowsMax) => pruneSurplus.run(Math.max(1, rowsKept), rowsMax).changes,
  };
}

function sumCounts(rows: readonly RawCount[]): RequestCounts {
  const sum = (value: (row: RawCount) => number): number =>
    rows.reduce((total, row) => total + value(row), 0);
  return {
    total: sum((row) => row.requests),
    byOutcome: Object.fromEntries(rows.map((row) => [row.outcome, row.requests])),
    attempts: sum((row) => row.attempts),
    promptTokens: sum((row) => row.prompt_tokens),
    outputTokens: sum((row) => row.output_tokens),
  };
}
