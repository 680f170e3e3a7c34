/**
 * Reads what a database file holds when it cannot be opened where it lies: on a disk that is full or read-only, or set
 * aside. A copy is read, never the file itself, because SQLite writes beside what it reads. Primary thread.
 */
import Database from "better-sqlite3";
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyTables } from "./copy-tables.ts";

/** A larger file is not copied: most of it is request log, and the primary waits meanwhile. Bytes. */
const FILE_BYTES_MAX = 512 * 1024 * 1024;

/**
 * Copies what can be read of the file into `to`, and returns how many rows that were; undefined when the file is not
 * there, too large, or there is no room for a copy of it in the system's temporary folder.
 */
export function snapshotOf(path: string, to: Database.Database): number | undefined {
  if (!existsSync(path) || statSync(path).size > FILE_BYTES_MAX) return undefined;
  using cleanup = new DisposableStack();
  try {
    // Only this user may look into a folder made so: the copy holds keys.
    const folder = mkdtempSync(join(tmpdir(), "gemini-gateway-"));
    cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
    const copy = join(folder, "copy.db");
    copyFileSync(path, copy);
    if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
    const database = new Database(copy, { fileMustExist: true });
    cleanup.defer(() => database.close());
    return copyTables(database, to, "keep").rows;
  } catch {
    return undefined;
  }
}
