/**
 * Writes down what is learnt, in batches and off the path of any request: key and model states, the request log.
 * Primary thread. A database that cannot be written costs history, never a request: serving goes on from memory.
 */
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import type { DirtyStates } from "@gemini-gateway/core/scheduler/stored-state";
import type { Logger } from "pino";
import { systemCodeOf } from "../control/operator-error.ts";
import type { RowBacklog } from "../control/types.ts";
import type { RequestRow } from "../protocol.ts";
import { REQUEST_LOG_BATCH_ROWS } from "./store/request-log.ts";
import type { RequestLogRow } from "./store/rows.ts";
import type { Store } from "./store/store.ts";
import { storedHealthOf } from "./stored-health.ts";

export interface BookkeeperOptions {
  readonly store: Store;
  readonly scheduler: Scheduler;
  readonly log: Logger;
  /** Whether each request gets a line in the log. */
  readonly logRequests: () => boolean;
  readonly now: () => number;
}

const WRITE_INTERVAL_MS = 500;
/** Rows kept while the database cannot be written; the oldest go first. */
const PENDING_ROWS_MAX = 50_000;
/** Batches written in one turn, so that the primary is never held up for long. */
const BATCHES_A_TURN = 2;
/** States written in one turn. */
const STATES_A_TURN = 1_000;
/** A write that fails is reported at most this often, milliseconds. */
const COMPLAINT_INTERVAL_MS = 30_000;

export class Bookkeeper implements Disposable {
  readonly #options: BookkeeperOptions;
  readonly #timer: NodeJS.Timeout;
  #pending: RequestLogRow[] = [];
  #unsaved: DirtyStates | undefined;
  #lostRows = 0;
  #lostRowsTold = 0;
  #complainedAtMs = 0;

  constructor(options: BookkeeperOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#write(BATCHES_A_TURN), WRITE_INTERVAL_MS);
    this.#timer.unref();
  }

  get backlog(): RowBacklog {
    return { pendingRows: this.#pending.length, lostRows: this.#lostRows };
  }

  /** Takes in finished requests. */
  record(rows: readonly RequestRow[]): void {
    const { log } = this.#options;
    const logRequests = this.#options.logRequests();
    for (const row of rows) {
      if (logRequests) log.info(lineOf(row), "request");
      this.#pending.push(storedRowOf(row));
    }
    const surplus = this.#pending.length - PENDING_ROWS_MAX;
    if (surplus <= 0) return;
    this.#pending.splice(0, surplus);
    this.#lostRows += surplus;
  }

  /** Writes everything that is pending; at the end of the process. */
  flush(): void {
    this.#write(Number.POSITIVE_INFINITY);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.flush();
  }

  #write(batchesMax: number): void {
    try {
      this.#writeStates(batchesMax);
      this.#writeRows(batchesMax);
    } catch (error) {
      this.#complain(error);
    }
  }

  #writeStates(batchesMax: number): void {
    const { scheduler, store, now } = this.#options;
    for (let batch = 0; batch < batchesMax; batch += 1) {
      // A batch that could not be written stays in hand and goes first next time.
      this.#unsaved ??= scheduler.takeDirty(STATES_A_TURN);
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
      if (keys.length < STATES_A_TURN && models.length < STATES_A_TURN) return;
    }
  }

  #writeRows(batchesMax: number): void {
    for (let batch = 0; batch < batchesMax && this.#pending.length > 0; batch += 1) {
      this.#options.store.requests.append(this.#pending.slice(0, REQUEST_LOG_BATCH_ROWS));
      this.#pending.splice(0, REQUEST_LOG_BATCH_ROWS);
    }
    const rows = this.#lostRows - this.#lostRowsTold;
    if (rows === 0) return;
    this.#lostRowsTold = this.#lostRows;
    this.#options.log.warn({ rows }, "request rows were lost while the database could not be written");
  }

  #complain(error: unknown): void {
    const nowMs = this.#options.now();
    if (nowMs - this.#complainedAtMs < COMPLAINT_INTERVAL_MS) return;
    this.#complainedAtMs = nowMs;
    const { code, pendingRows } = { code: systemCodeOf(error), pendingRows: this.#pending.length };
    this.#options.log.error(
      { code, pendingRows },
      "what was learnt and logged waits in memory to be written",
    );
  }
}

function lineOf(row: RequestRow): Record<string, unknown> {
  const { atMs: _atMs, keyId: _keyId, fingerprint, ...rest } = row;
  return { ...rest, key: fingerprint };
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
