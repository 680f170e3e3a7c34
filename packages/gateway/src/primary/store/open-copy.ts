/**
 * Opens a copy of a database file in the system's temporary folder: SQLite writes beside what it reads, and some files
 * must not be touched. Primary thread and command line.
 */
import Database from "better-sqlite3";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface OpenCopy extends Disposable {
  readonly database: Database.Database;
}

/**
 * The copy, with the log of writes that lies beside the file; gone when disposed.
 * @throws the system's or SQLite's error
 */
export function openCopy(path: string): OpenCopy {
  using cleanup = new DisposableStack();
  // Only this user may look into a folder made so: the copy holds keys.
  const folder = mkdtempSync(join(tmpdir(), "gemini-gateway-"));
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
  const copy = join(folder, "copy.db");
  copyFileSync(path, copy);
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
  const database = new Database(copy, { fileMustExist: true });
  cleanup.defer(() => database.close());
  const held = cleanup.move();
  return { database, [Symbol.dispose]: () => held.dispose() };
}
