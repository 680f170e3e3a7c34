/**
 * What is known of each (project, model): rests and limits that a restart must not forget.
 * Primary thread. The state is the scheduler's own, stored as JSON and not looked into.
 */
import type Database from "better-sqlite3";
import { jsonOrNull } from "./json-column.ts";
import type { ModelStateRow } from "./rows.ts";

/** Rows per page: about a millisecond of work. */
const MODEL_PAGE_ROWS = 500;

export interface ModelStates {
  /** Every row whose state can be read, in pages of at most {@link MODEL_PAGE_ROWS}: read on in another turn. */
  pages(): Generator<readonly ModelStateRow[], void, void>;
  /** The same at once. */
  load(): readonly ModelStateRow[];
  /** Inserts or replaces in one transaction. */
  save(rows: readonly ModelStateRow[]): void;
  /** Forgets quota owners on every model, in one transaction. */
  forget(projects: readonly string[]): void;
  /** Deletes at most `rowsMax` rows not saved since `beforeMs`. Returns how many. */
  prune(beforeMs: number, rowsMax: number): number;
}

interface RawState {
  project: string;
  model: string;
  state: string;
  updated_at_ms: number;
}

export function modelStates(database: Database.Database): ModelStates {
  const page = database.prepare<[string, string, number], RawState>(
    "SELECT * FROM model_states WHERE (project, model) > (?, ?) ORDER BY project, model LIMIT ?",
  );
  function* pages(): Generator<readonly ModelStateRow[], void, void> {
    let last = { project: "", model: "" };
    for (;;) {
      const rows = page.all(last.project, last.model, MODEL_PAGE_ROWS);
      last = rows.at(-1) ?? last;
      if (rows.length === 0) return;
      yield rows.flatMap(modelStateRow);
    }
  }
  const upsert = database.prepare<[string, string, string, number]>(
    `INSERT INTO model_states (project, model, state, updated_at_ms) VALUES (?, ?, ?, ?)
     ON CONFLICT (project, model) DO UPDATE SET state = excluded.state, updated_at_ms = excluded.updated_at_ms`,
  );
  const forget = database.prepare<[string]>("DELETE FROM model_states WHERE project = ?");
  const prune = database.prepare<[number, number]>(
    `DELETE FROM model_states WHERE (project, model) IN
       (SELECT project, model FROM model_states WHERE updated_at_ms < ? LIMIT ?)`,
  );
  return {
    pages,
    load: () => [...pages()].flat(),
    save: database.transaction((rows: readonly ModelStateRow[]) => {
      for (const row of rows) {
        upsert.run(row.project, row.model, JSON.stringify(row.state), Math.round(row.updatedAtMs));
      }
    }),
    forget: database.transaction((projects: readonly string[]) => {
      for (const project of projects) forget.run(project);
    }),
    prune: (beforeMs, rowsMax) => prune.run(beforeMs, rowsMax).changes,
  };
}

function modelStateRow(raw: RawState): ModelStateRow[] {
  const state = jsonOrNull(raw.state);
  if (state === null) return [];
  return [{ project: raw.project, model: raw.model, state, updatedAtMs: raw.updated_at_ms }];
}
