/**
 * Moves what was written from SQLite's log into the file in small pieces, each in a turn of its own. Primary thread.
 * SQLite itself would do it in a commit and by the thousand pages: 8 ms of work and two waits for the disk, while which
 * everything waits that shares the core.
 */
import type Database from "better-sqlite3";

/** How often it is looked how much was written, milliseconds. */
const LOOK_INTERVAL_MS = 100;
/** Pages in the log that are worth it: a millisecond of work. 0.4 MB, so that a gateway with little to write rarely wakes the disk. */
const PAGES = 100;

export interface CheckpointsOptions {
  /** In WAL mode. */
  readonly database: Database.Database;
  /** Hears of SQLite's error. */
  readonly failed: (error: unknown) => void;
}

/** Must be disposed of before the database is closed. */
export class Checkpoints implements Disposable {
  readonly #options: CheckpointsOptions;
  readonly #timer: NodeJS.Timeout;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { database, failed } = this.#options;
    try {
      const { log, checkpointed } = checkpoint(database, "NOOP");
      if (log - checkpointed >= PAGES) checkpoint(database, "PASSIVE");
    } catch (error) {
      failed(error);
    }
  }
}

/** NOOP only counts; PASSIVE moves what no reader keeps from being moved, and waits for none. */
function checkpoint(
  database: Database.Database,
  mode: "NOOP" | "PASSIVE",
): { readonly log: number; readonly checkpointed: number } {
  const [pages] = database.pragma(`wal_checkpoint(${mode})`) as [{ log: number; checkpointed: number }];
  return pages;
}
