/**
 * Keeps a second gateway away from a database: two schedulers over one set of keys would lend each key twice.
 * Primary thread only. Must never leave a lock behind when the process dies, so the operating system holds it.
 */
import Database from "better-sqlite3";
import { OperatorError, systemCodeOf } from "../../control/operator-error.ts";
import { createPrivately } from "./private-file.ts";

export function lockPathOf(realPath: string): string {
  return `${realPath}.lock`;
}

/**
 * Takes the lock of the database at `realPath` (symbolic links resolved) until disposed.
 *
 * Node has no file locks of its own; SQLite has portable ones. So the lock is an exclusive transaction, never ended,
 * on an empty database `<database>.lock` beside the real one. The real one stays open to readers such as `sqlite3`.
 * The lock file stays when the gateway ends: to delete it while another waits for it would give two of them a lock.
 *
 * @throws OperatorError `database-in-use` when another gateway holds it.
 */
export function lockDatabase(realPath: string): Disposable {
  const lockPath = lockPathOf(realPath);
  createPrivately(lockPath);
  const lock = new Database(lockPath, { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (systemCodeOf(error) !== "SQLITE_BUSY") throw error;
    throw new OperatorError(
      "database-in-use",
      `Another gateway is using the database ${realPath}: stop it, or give this one its own --database.`,
    );
  }
  return { [Symbol.dispose]: () => void lock.close() };
}
