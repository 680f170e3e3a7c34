/**
 * Reads what a database file holds when it cannot be opened where it lies: on a disk that is full or read-only, or set
 * aside. Primary thread.
 */
import type Database from "better-sqlite3";
import { existsSync, statSync } from "node:fs";
import { copyTables } from "./copy-tables.ts";
import { openCopy } from "./open-copy.ts";

/** A larger file is not copied: most of it is request log, and the primary waits meanwhile. Bytes. */
const FILE_BYTES_MAX = 512 * 1024 * 1024;

/**
 * Copies what can be read of the file into `to`, and returns how many rows that were; undefined when the file is not
 * there, too large, or there is no room for a copy of it.
 */
export function snapshotOf(path: string, to: Database.Database): number | undefined {
  if (!existsSync(path) || statSync(path).size > FILE_BYTES_MAX) return undefined;
  try {
    using copy = openCopy(path);
    return copyTables(copy.database, to, "keep").rows;
  } catch {
    return undefined;
  }
}
