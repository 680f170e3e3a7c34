/**
 * Writes down what is learnt, in batches and off the path of any request: key and model states, the request log.
 * Primary thread. A database that cannot be written costs history, never a request: serving goes on from memory.
 */
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import type { DirtyStates } from "@gemini-gateway/core/scheduler/stored-state";
import type { Logger } from "pino";
import { systemCodeOf } from "../control/operator-error.ts";
import type { RowBacklog } from "../control/types.ts";
import type { RequestRow } from "../request-row.ts";
import type { RowList } from "../row-batch.ts";
import { writeRequestLines } from "./request-lines.ts";
import { REQUEST_LOG_BATCH_ROWS } from "./store/request-log.ts";
import type { RequestLogRow } from "./store/rows.ts";
import type { Store } from "./store/store.ts";
import { storedHealthOf } from "./stored-health.ts";

export interface BookkeeperOptions {
  readonly store: Pick<Store, "keys" | "models" | "requests">;
  readonly scheduler: Scheduler;
  readonly log: Logger;
  /** Whether each request gets a line in the log. */
  readonly logRequests: () => boolean;
  readonly now: () => number;
  /** HTTP workers that share a core, 1 or more (1). */
  readonly workersPerCore?: number;
}

/** How often states, and the rows that fill no batch, are written, milliseconds: what a crash may cost. */
export const WRITE_INTERVAL_MS = 500;
/** Rows kept while the database cannot be written; the oldest go first, a report of a worker at a time. */
const PENDING_ROWS_MAX = 50_000;
/** States of keys, and of lanes, in one batch: a millisecond each. A turn writes one, so that no worker waits long for a key. */
const BATCH_STATES = 250;
/**
 * Rows that are worth a batch, for each worker on a core: a third of a millisecond, in which a request on the same core hardly waits.
 * Where workers share a core requests wait for each other's, and where many rows come for the writing: a batch is larger then, up
 * to {@link REQUEST_LOG_BATCH_ROWS}, and a row costs less.
 */
const CALM_BATCH_ROWS = 125;
/** Rows of a report that are worth being sorted. */
const SORTED_ROWS_MIN = 32;
/**
 * Before a batch is written the thread sleeps so long, milliseconds: a worker on the same core then gets it, instead of waiting for
 * the report and the batch that it fills in one go.
 */
const BREATH_MS = 1;
/** A write that fails is reported at most this often, milliseconds. */
const COMPLAINT_INTERVAL_MS = 30_000;

export class Bookkeeper implements Disposable {
  readonly #options: BookkeeperOptions;
  readonly #timer: NodeJS.Timeout;
  /** Rows that are worth a batch here. */
  readonly #calmRows: number;
  /** Rows to be written, oldest first. */
  #pending: RowList[] = [];
  #pendingRows = 0;
  #unsaved: DirtyStates | undefined;
  /** The last batch of states was full: there are more. */
  #hasMoreStates = false;
  /** Set while a batch is about to be written between two intervals. */
  #next: NodeJS.Timeout | undefined;
  #isFailing = false;
  #lostRows = 0;
  #lostRowsTold = 0;
  #complainedAtMs = 0;

  constructor(options: BookkeeperOptions) {
    this.#options = options;
    this.#calmRows = Math.min(CALM_BATCH_ROWS * (options.workersPerCore ?? 1), REQUEST_LOG_BATCH_ROWS);
    this.#timer = setInterval(() => {
      this.#attempt(() => {
        this.#writeStates(1);
        this.#writeRows(1);
      });
      this.#writeSoon();
    }, WRITE_INTERVAL_MS);
    this.#timer.unref();
  }

  get backlog(): RowBacklog {
    return { pendingRows: this.#pendingRows, lostRows: this.#lostRows };
  }

  /** Takes in finished requests. */
  record(rows: RowList): void {
    if (this.#options.logRequests()) writeRequestLines(this.#options.log, rows);
    this.#pending.push(rows);
    this.#pendingRows += rows.count;
    while (this.#pendingRows > PENDING_ROWS_MAX) this.#giveUpOldest();
    this.#writeSoon();
  }

  /** Writes everything that is pending; at the end of the process. */
  flush(): void {
    this.#attempt(() => {
      this.#writeStates(Number.POSITIVE_INFINITY);
      this.#writeRows(Number.POSITIVE_INFINITY);
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    clearTimeout(this.#next);
    this.flush();
  }

  #attempt(write: () => void): void {
    try {
      write();
      this.#isFailing = false;
    } catch (error) {
      this.#isFailing = true;
      this.#complain(error);
    }
  }

  /**
   * A full batch need not wait for the interval, which no load may outrun; one that cannot be written does. Rows come by the
   * batch many times a second and bring no states with them: to save each state that often would be most of the work.
   */
  #writeSoon(): void {
    if (!this.#isMuch() || this.#isFailing) return;
    this.#next ??= setTimeout(() => {
      this.#next = undefined;
      this.#attempt(() => {
        if (this.#hasMoreStates) this.#writeStates(1);
        if (this.#pendingRows >= this.#calmRows) this.#writeRows(1);
      });
      this.#writeSoon();
    }, BREATH_MS);
  }

  #isMuch(): boolean {
    return this.#hasMoreStates || this.#pendingRows >= this.#calmRows;
  }

  #giveUpOldest(): void {
    const lost = this.#pending.shift()?.count ?? 0;
    this.#pendingRows -= lost;
    this.#lostRows += lost;
  }

  #writeStates(batchesMax: number): void {
    const { scheduler, store, now } = this.#options;
    for (let batch = 0; batch < batchesMax; batch += 1) {
      // A batch that could not be written stays in hand and goes first next time.
      this.#unsaved ??= scheduler.takeDirty(BATCH_STATES);
      const { keys, models } = this.#unsaved;
      if (keys.length > 0)
        store.keys.saveHealth(keys.map((state) => ({ id: state.id, health: storedHealthOf(state) })));
      const updatedAtMs = now();
      if (models.length > 0) {
        store.models.save(
          models.map((state) => ({ project: state.project, model: state.model, state, updatedAtMs })),
        );
      }
      this.#unsaved = undefined;
      this.#hasMoreStates = keys.length === BATCH_STATES || models.length === BATCH_STATES;
      if (!this.#hasMoreStates) return;
    }
  }

  #writeRows(batchesMax: number): void {
    for (let batch = 0; batch < batchesMax && this.#pendingRows > 0; batch += 1) {
      const { lists, rows } = this.#nextBatch();
      this.#options.store.requests.append(rows);
      this.#pending.splice(0, lists);
      this.#pendingRows -= rows.length;
    }
    const rows = this.#lostRows - this.#lostRowsTold;
    if (rows === 0) return;
    this.#lostRowsTold = this.#lostRows;
    this.#options.log.warn({ rows }, "request rows were lost while the database could not be written");
  }

  /** Whole lists, so that none is written in part: a quarter of what is pending, within bounds, or the first that is larger. */
  #nextBatch(): { readonly lists: number; readonly rows: RequestLogRow[] } {
    const rowsMax = Math.min(Math.max(this.#pendingRows >> 2, this.#calmRows), REQUEST_LOG_BATCH_ROWS);
    const rows: RequestLogRow[] = [];
    let lists = 0;
    for (const list of this.#pending) {
      if (lists > 0 && rows.length + list.count > rowsMax) break;
      addStoredRows(list, rows);
      lists += 1;
    }
    return { lists, rows };
  }

  #complain(error: unknown): void {
    const nowMs = this.#options.now();
    if (nowMs - this.#complainedAtMs < COMPLAINT_INTERVAL_MS) return;
    this.#complainedAtMs = nowMs;
    const { code, pendingRows } = { code: systemCodeOf(error), pendingRows: this.#pendingRows };
    this.#options.log.error(
      { code, pendingRows },
      "what was learnt and logged waits in memory to be written",
    );
  }
}

/**
 * Rows that follow each other and have much in common are stored at half the cost: what a busy worker reports is put in
 * order of kind, at the price that rows of a tenth of a second change places. Others stay as they came.
 */
function addStoredRows(list: RowList, rows: RequestLogRow[]): void {
  if (list.count < SORTED_ROWS_MIN) {
    for (let index = 0; index < list.count; index += 1) rows.push(storedRowOf(list.row(index)));
    return;
  }
  const byKind = list.kinds.map((): RequestLogRow[] => []);
  for (let index = 0; index < list.count; index += 1) {
    byKind[list.kindOf(index)]?.push(storedRowOf(list.row(index)));
  }
  for (const ofKind of byKind) for (const row of ofKind) rows.push(row);
}

function storedRowOf(row: RequestRow): RequestLogRow {
  return {
    atMs: row.atMs - row.durationMs,
    requestId: row.requestId,
    method: row.method,
    path: row.path,
    model: row.model === "" ? null : row.model,
    status: row.status,
    outcome: row.outcome,
    attempts: row.attempts,
    firstByteMs: row.firstByteMs < 0 ? null : row.firstByteMs,
    durationMs: row.durationMs,
    bytesIn: row.bytesIn,
    bytesOut: row.bytesOut,
    promptTokens: row.promptTokens,
    outputTokens: row.outputTokens,
    totalTokens: row.totalTokens,
    keyId: row.keyId === 0 ? null : row.keyId,
    client: row.client,
    reason: row.reason === "" ? null : row.reason,
    address: row.address === "" ? null : row.address,
  };
}
