/**
 * The table of resources that belong to one project: who made them, until they expire. Primary thread (and the command
 * line, reading). Names come as `affinity/stored-name.ts` makes them: it must never be given one that opens something.
 */
import type Database from "better-sqlite3";
import type { KeyId } from "@gemini-gateway/core/lease";

export interface ResourceRow {
  /** As `storedName` makes it. */
  readonly name: string;
  /** The key that made it. */
  readonly keyId: KeyId;
  /** Name of the key's project when that was learnt; null for a key without one. */
  readonly project: string | null;
  /** What is needed to go on with it, such as where an upload continues; null for nothing. */
  readonly detail: string | null;
  /** Milliseconds since the epoch. */
  readonly learntAtMs: number;
  /** When it is gone, milliseconds since the epoch; null: not before it is deleted. */
  readonly expiresAtMs: number | null;
}

export interface ResourceTable {
  /** The row of this name, expired or not. Some microseconds. */
  get(name: string): ResourceRow | undefined;
  /** Inserts or replaces, and deletes, in one transaction. What is saved last counts as the newest. */
  change(save: readonly ResourceRow[], remove: readonly string[]): void;
  /** How many there are, expired ones among them. Costs nothing but the first time. */
  count(): number;
  /** How many of them these keys made; costs a step for each. */
  countOf(keyIds: readonly KeyId[]): number;
  /** The lowest key from `fromId` on that made something of this collection, unless it was deleted; some microseconds. */
  holderFrom(collection: string, fromId: KeyId): KeyId | undefined;
  /** Deletes at most `rowsMax` rows that expired before `beforeMs`. Returns how many. */
  prune(beforeMs: number, rowsMax: number): number;
  /** Deletes at most `rowsMax` of those saved longest ago while there are more than `rowsKept`. Returns how many. */
  pruneSurplus(rowsKept: number, rowsMax: number): number;
}

interface RawResource {
  name: string;
  key_id: number;
  project: string | null;
  detail: string | null;
  learnt_at_ms: number;
  expires_at_ms: number | null;
}

export function resourceTable(database: Database.Database): ResourceTable {
  const named = database.prepare<[string], RawResource>("SELECT * FROM resources WHERE name = ?");
  const total = database.prepare<[], number>("SELECT count(*) FROM resources").pluck();
  const ofKey = database.prepare<[number], number>("SELECT count(*) FROM resources WHERE key_id = ?").pluck();
  const holder = database
    .prepare<[string, number], number>(
      // The words of the index, by which it is found to serve.
      `SELECT key_id FROM resources
        WHERE name NOT GLOB 'interactions/*' AND name NOT GLOB '*/~*'
          AND substr(name, 1, instr(name, '/') - 1) = ? AND key_id >= ? ORDER BY key_id LIMIT 1`,
    )
    .pluck();
  const expired = database.prepare<[number, number]>(
    `DELETE FROM resources WHERE rowid IN (
       SELECT rowid FROM resources WHERE expires_at_ms < ? ORDER BY expires_at_ms LIMIT ?)`,
  );
  const oldest = database.prepare<[number]>(
    "DELETE FROM resources WHERE rowid IN (SELECT rowid FROM resources ORDER BY rowid LIMIT ?)",
  );
  const change = changer(database);
  let counted: number | undefined;
  const count = (): number => (counted ??= total.get() ?? 0);
  const deleted = (rows: number): number => {
    if (counted !== undefined) counted -= rows;
    return rows;
  };
  return {
    get: (name) => {
      const raw = named.get(name);
      return raw === undefined ? undefined : rowOf(raw);
    },
    change: (save, remove) => {
      const added = change(save, remove);
      if (counted !== undefined) counted += added;
    },
    count,
    countOf: (keyIds) => keyIds.reduce((sum, id) => sum + (ofKey.get(id) ?? 0), 0),
    holderFrom: (collection, fromId) => holder.get(collection, fromId),
    prune: (beforeMs, rowsMax) => deleted(expired.run(Math.round(beforeMs), rowsMax).changes),
    pruneSurplus: (rowsKept, rowsMax) => {
      const surplus = Math.min(count() - rowsKept, rowsMax);
      return surplus <= 0 ? 0 : deleted(oldest.run(surplus).changes);
    },
  };
}

/** Says how many rows there are more than before. Deleting first gives the row a new place as the newest. */
function changer(
  database: Database.Database,
): (save: readonly ResourceRow[], remove: readonly string[]) => number {
  const insert = database.prepare<(string | number | null)[]>(
    `INSERT INTO resources (name, key_id, project, detail, learnt_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const remove = database.prepare<[string]>("DELETE FROM resources WHERE name = ?");
  return database.transaction((save: readonly ResourceRow[], removed: readonly string[]) => {
    let added = 0;
    for (const name of removed) added -= remove.run(name).changes;
    for (const { name, keyId, project, detail, learntAtMs, expiresAtMs } of save) {
      added += 1 - remove.run(name).changes;
      const expiry = expiresAtMs === null ? null : Math.round(expiresAtMs);
      insert.run(name, keyId, project, detail, Math.round(learntAtMs), expiry);
    }
    return added;
  });
}

function rowOf(raw: RawResource): ResourceRow {
  const { name, key_id: keyId, project, detail, learnt_at_ms: learntAtMs, expires_at_ms: expiresAtMs } = raw;
  return { name, keyId, project, detail, learntAtMs, expiresAtMs };
}
