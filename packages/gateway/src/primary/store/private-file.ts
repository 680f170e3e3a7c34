/**
 * Files that hold secrets are created readable by their owner only.
 * Primary thread and command line. Must never loosen or change the mode of a file that exists.
 */
import { closeSync, openSync } from "node:fs";
import { systemCodeOf } from "../../control/operator-error.ts";

/** Read and write for the owner, nothing for anyone else. */
export const PRIVATE_FILE_MODE = 0o600;
/** The same for a folder. */
export const PRIVATE_FOLDER_MODE = 0o700;

/** Creates an empty file with mode 0600 unless there is one. SQLite gives its -wal and -shm files the same mode. */
export function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, "wx", PRIVATE_FILE_MODE));
  } catch (error) {
    if (systemCodeOf(error) !== "EEXIST") throw error;
  }
}
