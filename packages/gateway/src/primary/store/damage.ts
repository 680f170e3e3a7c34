/**
 * Tells a damaged database from one that cannot be used just now, and takes a damaged file out of the way.
 * Primary thread. It must never change or delete what is set aside: somebody may still want to rescue something.
 */
import type Database from "better-sqlite3";
import { existsSync, renameSync } from "node:fs";
import { systemCodeOf } from "../../control/operator-error.ts";

/** What SQLite writes beside a database, and finds by its name. */
const COMPANIONS = ["-wal", "-shm"] as const;
/** Files set aside in one second; more than that is no accident. */
const SAME_SECOND_MAX = 100;
/** Rows of the request log outnumber all else, and what is damaged there shows when it is written. */
const UNCHECKED_TABLE = "request_log";

/** The file is not what SQLite left there: no waiting mends it. */
export class DamagedDatabase extends Error {
  override readonly name = "DamagedDatabase";
}

/** Whether this error of SQLite's says that the file is damaged. */
export function isDamage(error: unknown): boolean {
  if (error instanceof DamagedDatabase) return true;
  const code = systemCodeOf(error);
  return code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB";
}

/** Whether this error says that the file cannot be used now, but may be later: full, locked, read-only, unreachable. */
export function isHindrance(error: unknown): boolean {
  return /^(?:SQLITE_(?:BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|PERM|NOLFS|PROTOCOL|NOMEM)|ENOSPC$|EDQUOT$|EROFS$|EACCES$|EPERM$|EIO$|EMFILE$|ENFILE$)/.test(
    systemCodeOf(error),
  );
}

/**
 * Looks through the structure of all tables but the request log: a tenth of a second for 100,000 keys.
 * @throws DamagedDatabase, or SQLite's error
 */
export function requireSound(database: Database.Database): void {
  const tables = database
    .prepare<[string], string>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> ? AND name NOT LIKE 'sqlite~_%' ESCAPE '~'",
    )
    .pluck()
    .all(UNCHECKED_TABLE);
  for (const table of tables) {
    if (database.pragma(`quick_check("${table}")`, { simple: true }) === "ok") continue;
    throw new DamagedDatabase(`the table ${table} is damaged`);
  }
}

/**
 * Renames the file and its companions, so that a new one can take its place. Returns the new name.
 * @throws the system's error when it may not be renamed
 */
export function setAside(path: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
  const aside = freeName(`${path}.damaged-${stamp}`);
  renameSync(path, aside);
  for (const companion of COMPANIONS) {
    if (existsSync(path + companion)) renameSync(path + companion, aside + companion);
  }
  return aside;
}

function freeName(name: string): string {
  for (let number = 1; number <= SAME_SECOND_MAX; number += 1) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!existsSync(candidate)) return candidate;
  }
  throw new DamagedDatabase(`there are ${SAME_SECOND_MAX} damaged files of the same second`);
}
