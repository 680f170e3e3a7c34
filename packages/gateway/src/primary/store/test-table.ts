/**
 * What health tests (and requests, which are as good) showed of each key on each model, and when the next test is:
 * a restart must not test everything again. Primary thread.
 */
import type Database from "better-sqlite3";
import type { PlannedPair } from "@gemini-gateway/core/probing/test-plan";

/** Rows per page when the table is read. */
const PAGE_ROWS = 5_000;

export interface TestTable {
  /** Every row, in pages: read on in another turn. */
  pages(): Generator<readonly PlannedPair[], void, void>;
  /** The rows of one key. */
  ofKey(keyId: number): readonly PlannedPair[];
  /** Inserts or replaces in one transaction; rows of keys that are gone are left out. */
  save(rows: readonly PlannedPair[]): void;
  /** Forgets the tests of keys, in one transaction. */
  forget(keyIds: readonly number[]): void;
}

interface RawTest {
  key_id: number;
  model: string;
  due_at_ms: number | null;
  outcome: string;
  http_status: number;
  repeats: number;
  at_ms: number;
}

export function testTable(database: Database.Database): TestTable {
  const page = database.prepare<[number, string, number], RawTest>(
    "SELECT * FROM key_tests WHERE (key_id, model) > (?, ?) ORDER BY key_id, model LIMIT ?",
  );
  const ofKey = database.prepare<[number], RawTest>("SELECT * FROM key_tests WHERE key_id = ?");
  const forget = database.prepare<[number]>("DELETE FROM key_tests WHERE key_id = ?");
  const upsert = database.prepare<(string | number | null)[]>(
    `INSERT INTO key_tests (key_id, model, due_at_ms, outcome, http_status, repeats, at_ms)
     SELECT ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM keys WHERE id = ?)
     ON CONFLICT (key_id, model) DO UPDATE SET due_at_ms = excluded.due_at_ms, outcome = excluded.outcome,
       http_status = excluded.http_status, repeats = excluded.repeats, at_ms = excluded.at_ms`,
  );
  function* pages(): Generator<readonly PlannedPair[], void, void> {
    let last = { key_id: 0, model: "" };
    for (;;) {
      const rows = page.all(last.key_id, last.model, PAGE_ROWS);
      const end = rows.at(-1);
      if (end === undefined) return;
      last = end;
      yield rows.map(pairOf);
    }
  }
  return {
    pages,
    ofKey: (keyId) => ofKey.all(keyId).map(pairOf),
    forget: database.transaction((keyIds: readonly number[]) => {
      for (const keyId of keyIds) forget.run(keyId);
    }),
    save: database.transaction((rows: readonly PlannedPair[]) => {
      for (const row of rows) upsert.run(...columnsOf(row), row.keyId);
    }),
  };
}

function columnsOf(row: PlannedPair): (string | number | null)[] {
  const dueAtMs = Number.isFinite(row.dueAtMs) ? Math.round(row.dueAtMs) : null;
  return [row.keyId, row.model, dueAtMs, row.outcome, row.httpStatus, row.repeats, Math.round(row.atMs)];
}

function pairOf(raw: RawTest): PlannedPair {
  return {
    keyId: raw.key_id,
    model: raw.model,
    dueAtMs: raw.due_at_ms ?? Number.POSITIVE_INFINITY,
    outcome: raw.outcome as PlannedPair["outcome"],
    httpStatus: raw.http_status,
    repeats: raw.repeats,
    atMs: raw.at_ms,
  };
}
