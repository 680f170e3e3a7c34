/**
 * Deletes what has become too old or too much from the database, a little at a time. Primary thread.
 * One step deletes at most {@link STEP_ROWS} rows, some milliseconds of work; the next one follows after a pause in
 * which requests are served. What cannot be deleted now (disk full, file locked) is tried again later.
 */
import type { Logger } from "pino";
import { systemCodeOf } from "../control/operator-error.ts";
import type { Store } from "./store/store.ts";

export interface RetentionOptions {
  readonly store: Pick<Store, "requests" | "resources">;
  /**
   * Age, milliseconds since its arrival, and number at which a request is deleted; number of resources kept. Asked for
   * each time.
   */
  readonly settings: () => {
    readonly logRetentionMs: number;
    readonly logMaxRows: number;
    readonly affinity: { readonly resources: number };
  };
  readonly log: Logger;
  readonly now: () => number;
}

/** Rows deleted in one step. */
const STEP_ROWS = 1_000;
/** A resource costs as much as so many requests: it stands in three indexes. */
const RESOURCE_ROWS = 4;
/** Pause between steps while there is more to delete: deletes faster than the bookkeeper ever writes. */
const BUSY_PAUSE_MS = 50;
/** Pause when there was nothing. */
const IDLE_PAUSE_MS = 10_000;

export class Retention implements Disposable {
  readonly #options: RetentionOptions;
  #timer: NodeJS.Timeout | undefined;
  #hasFailed = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Begins after a pause, so that the start of the gateway is not held up. */
  start(): void {
    this.#next(BUSY_PAUSE_MS);
  }

  /** One step: deletes at most about {@link STEP_ROWS} rows and tells how many. Throws what the database does. */
  step(): number {
    const { store, settings, now } = this.#options;
    const { logRetentionMs, logMaxRows, affinity } = settings();
    const { requests, resources } = store;
    const nowMs = now();
    const prunings = [
      (rows: number) => requests.prune(nowMs - logRetentionMs, rows),
      (rows: number) => requests.pruneSurplus(logMaxRows, rows),
      (rows: number) => RESOURCE_ROWS * resources.prune(nowMs, Math.ceil(rows / RESOURCE_ROWS)),
      (rows: number) =>
        RESOURCE_ROWS * resources.pruneSurplus(affinity.resources, Math.ceil(rows / RESOURCE_ROWS)),
    ];
    let deleted = 0;
    for (const prune of prunings) if (deleted < STEP_ROWS) deleted += prune(STEP_ROWS - deleted);
    return deleted;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #next(pauseMs: number): void {
    this.#timer = setTimeout(() => this.#next(this.#tryStep() ? BUSY_PAUSE_MS : IDLE_PAUSE_MS), pauseMs);
    this.#timer.unref();
  }

  /** Whether there may be more to delete at once. */
  #tryStep(): boolean {
    try {
      const deleted = this.step();
      this.#hasFailed = false;
      return deleted >= STEP_ROWS;
    } catch (error) {
      if (!this.#hasFailed) {
        this.#options.log.warn({ code: systemCodeOf(error) }, "old rows of the database cannot be deleted");
      }
      this.#hasFailed = true;
      return false;
    }
  }
}
