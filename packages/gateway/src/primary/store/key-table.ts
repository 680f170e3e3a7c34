/**
 * The table of keys, the only place where secrets are stored.
 * Primary thread (and the command line, reading). Must never put a secret into an error or a log.
 */
import type Database from "better-sqlite3";
import type { KeyId } from "@gemini-gateway/core/lease";
import { fingerprint, freeFingerprint } from "../keys/fingerprint.ts";
import { jsonOrNull } from "./json-column.ts";
import type {
  AppliedKeyChange,
  KeyChange,
  KeyHealthRow,
  KeyPlacement,
  KeyProjects,
  KeyRow,
  LearntProjectRow,
  NewKey,
} from "./rows.ts";

/** Rows per page when the whole table is read: about a millisecond of work. */
export const KEY_PAGE_ROWS = 500;

export interface KeyTable {
  /** Every key, retired ones too, by id, in pages of at most {@link KEY_PAGE_ROWS}: read on in another turn. */
  pages(): Generator<readonly KeyRow[], void, void>;
  /** The key of this name; undefined when there is none, or it is retired. */
  byFingerprint(fingerprint: string): KeyRow | undefined;
  /** What the projects of a key are called, retired or not; undefined when there is no such key. */
  projectsOf(id: KeyId): KeyProjects | undefined;
  /** Every key at once: at start, or on the command line. */
  load(): readonly KeyRow[];
  /**
   * Applies a change in one transaction. Idempotent: a known secret added again is restored, a retired key retired
   * again stays as it was. The caller cuts large changes into slices, see `sliceChange`.
   */
  change(change: KeyChange, nowMs: number): AppliedKeyChange;
  /** Saves the scheduler's snapshots in one transaction; unknown ids are ignored. */
  saveHealth(rows: readonly KeyHealthRow[]): void;
  /** Saves projects that Google's answers named; an operator's label still goes before them. */
  learnProjects(rows: readonly LearntProjectRow[]): void;
  /** Stores what the operator wants of keys, and what was said of it in place of what was said before: both or neither. */
  setEnabled(ids: readonly KeyId[], enabled: boolean, note: string | null, nowMs: number): void;
  /** Stores what the operator said of keys, in place of what was said before. */
  setNote(ids: readonly KeyId[], note: string | null, nowMs: number): void;
  /** Deletes at most `rowsMax` keys retired before `beforeMs`, secret and all. Returns how many. */
  purgeRetired(beforeMs: number, rowsMax: number): number;
}

interface RawKey {
  id: number;
  secret: string;
  fingerprint: string;
  project_label: string | null;
  project_learnt: string | null;
  source_file: string | null;
  enabled: number;
  note: string | null;
  noted_at_ms: number | null;
  added_at_ms: number;
  retired_at_ms: number | null;
  health: string | null;
}

export function keyTable(database: Database.Database): KeyTable {
  const page = database.prepare<[number, number], RawKey>(
    "SELECT * FROM keys WHERE id > ? ORDER BY id LIMIT ?",
  );
  function* pages(): Generator<readonly KeyRow[], void, void> {
    let lastId = 0;
    for (;;) {
      const rows = page.all(lastId, KEY_PAGE_ROWS);
      const last = rows.at(-1);
      if (last === undefined) return;
      lastId = last.id;
      yield rows.map(keyRow);
    }
  }
  const named = database.prepare<[string], RawKey>(
    "SELECT * FROM keys WHERE fingerprint = ? AND retired_at_ms IS NULL",
  );
  const projects = database.prepare<[number], KeyProjects>(
    "SELECT project_label AS label, project_learnt AS learnt FROM keys WHERE id = ?",
  );
  const byFingerprint = (name: string): KeyRow | undefined => {
    const row = named.get(name);
    return row === undefined ? undefined : keyRow(row);
  };
  return {
    pages,
    byFingerprint,
    projectsOf: (id) => projects.get(id),
    load: () => [...pages()].flat(),
    change: changer(database),
    ...simpleWrites(database),
  };
}

function changer(database: Database.Database): KeyTable["change"] {
  const byId = database.prepare<[number], RawKey>("SELECT * FROM keys WHERE id = ?");
  const place = database.prepare<[string | null, string, number]>(
    "UPDATE keys SET project_label = ?, source_file = ? WHERE id = ?",
  );
  const unretire = database.prepare<[number]>("UPDATE keys SET retired_at_ms = NULL WHERE id = ?");
  const retire = database.prepare<[number, number]>(
    "UPDATE keys SET retired_at_ms = ? WHERE id = ? AND retired_at_ms IS NULL",
  );
  const insert = inserter(database);

  const placed = ({ id, label, sourceFile }: KeyPlacement): KeyRow[] => {
    place.run(label, sourceFile, id);
    const row = byId.get(id);
    return row === undefined ? [] : [keyRow(row)];
  };
  return database.transaction((change: KeyChange, nowMs: number): AppliedKeyChange => {
    const added = change.add.map((key) => insert(key, nowMs));
    for (const placement of change.restore) {
      unretire.run(placement.id);
      added.push(...placed(placement));
    }
    const relabelled = change.relabel.flatMap(placed);
    for (const id of change.retire) retire.run(nowMs, id);
    return { added, relabelled, retired: change.retire };
  });
}

/**
 * A new key is one statement. Only where the table refuses it, because it knows the key or another has its fingerprint, is it
 * looked at more closely: 100,000 questions whether a name is taken cost as much as the rows themselves.
 */
function inserter(database: Database.Database): (key: NewKey, nowMs: number) => KeyRow {
  const isTaken = database
    .prepare<[string, string], number>("SELECT 1 FROM keys WHERE fingerprint = ? AND secret <> ?")
    .pluck();
  const insert = database.prepare<[string, string, string | null, string, number]>(
    `INSERT INTO keys (secret, fingerprint, project_label, source_file, added_at_ms) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const restore = database.prepare<[string | null, string, string], RawKey>(
    "UPDATE keys SET project_label = ?, source_file = ?, retired_at_ms = NULL WHERE secret = ? RETURNING *",
  );
  return ({ secret, label, sourceFile }, nowMs) => {
    const addedAtMs = Math.round(nowMs);
    const added = (name: string): KeyRow | undefined => {
      const { changes, lastInsertRowid } = insert.run(secret, name, label, sourceFile, addedAtMs);
      return changes === 0
        ? undefined
        : newRow(Number(lastInsertRowid), name, { secret, label, sourceFile }, addedAtMs);
    };
    const row = added(fingerprint(secret));
    if (row !== undefined) return row;
    const known = restore.get(label, sourceFile, secret);
    if (known !== undefined) return keyRow(known);
    const renamed = added(freeFingerprint(secret, (name) => isTaken.get(name, secret) !== undefined));
    if (renamed === undefined) throw new Error("SQLite took no row for a new key");
    return renamed;
  };
}

/** A row as the table's defaults make it. */
function newRow(id: KeyId, name: string, { secret, label, sourceFile }: NewKey, addedAtMs: number): KeyRow {
  return {
    id,
    secret,
    fingerprint: name,
    project: label,
    projectSource: label === null ? null : "label",
    label,
    learnt: null,
    sourceFile,
    enabled: true,
    note: null,
    notedAtMs: null,
    addedAtMs,
    retiredAtMs: null,
    health: null,
  };
}

function simpleWrites(
  database: Database.Database,
): Pick<KeyTable, "saveHealth" | "learnProjects" | "setEnabled" | "setNote" | "purgeRetired"> {
  const saveHealth = database.prepare<[string | null, number]>("UPDATE keys SET health = ? WHERE id = ?");
  const learn = database.prepare<[string, number]>("UPDATE keys SET project_learnt = ? WHERE id = ?");
  const enable = database.prepare<[number, string | null, number, number]>(
    "UPDATE keys SET enabled = ?, note = ?, noted_at_ms = ? WHERE id = ?",
  );
  const note = database.prepare<[string | null, number, number]>(
    "UPDATE keys SET note = ?, noted_at_ms = ? WHERE id = ?",
  );
  const purge = database.prepare<[number, number]>(
    "DELETE FROM keys WHERE id IN (SELECT id FROM keys WHERE retired_at_ms < ? LIMIT ?)",
  );
  return {
    saveHealth: database.transaction((rows: readonly KeyHealthRow[]) => {
      for (const { id, health } of rows) saveHealth.run(health === null ? null : JSON.stringify(health), id);
    }),
    learnProjects: database.transaction((rows: readonly LearntProjectRow[]) => {
      for (const { id, project } of rows) learn.run(project, id);
    }),
    setEnabled: database.transaction(
      (ids: readonly KeyId[], enabled: boolean, text: string | null, nowMs: number) => {
        for (const id of ids) enable.run(enabled ? 1 : 0, text, Math.round(nowMs), id);
      },
    ),
    setNote: database.transaction((ids: readonly KeyId[], text: string | null, nowMs: number) => {
      for (const id of ids) note.run(text, Math.round(nowMs), id);
    }),
    purgeRetired: (beforeMs, rowsMax) => purge.run(beforeMs, rowsMax).changes,
  };
}

function keyRow(raw: RawKey): KeyRow {
  return {
    id: raw.id,
    secret: raw.secret,
    fingerprint: raw.fingerprint,
    project: raw.project_label ?? raw.project_learnt,
    projectSource: raw.project_label !== null ? "label" : raw.project_learnt !== null ? "learnt" : null,
    label: raw.project_label,
    learnt: raw.project_learnt,
    sourceFile: raw.source_file,
    enabled: raw.enabled === 1,
    note: raw.note,
    notedAtMs: raw.noted_at_ms,
    addedAtMs: raw.added_at_ms,
    retiredAtMs: raw.retired_at_ms,
    health: jsonOrNull(raw.health),
  };
}
