/**
 * What every named client has used, counted exactly over all threads without a message: one entry for each client in
 * shared memory, at a place the primary gives it. Any thread; only the primary opens an entry.
 */
import {
  chargeClient,
  CLIENT_QUOTA_CELLS,
  type ClientLimits,
  type ClientRefusal,
  clientRefusal,
} from "@gemini-gateway/core/limits/client-quota";
import { type LockHolder, SharedLocks } from "./shared-locks.ts";

/** Entries of the table. More than there can be clients, so that an entry rests before it is another client's. */
export const CLIENT_ENTRIES = 2_048;

/** Requests in progress are counted for each worker, so that those of a dead one can be taken back. */
const PARTS = 256;
const GENERATION = 0;
const QUOTA = 1;
const RUNNING = QUOTA + CLIENT_QUOTA_CELLS;
const ENTRY_CELLS = RUNNING + PARTS;

/** A client's entry. An entry that has been given to another client since has another generation. */
export interface ClientEntry {
  readonly index: number;
  readonly generation: number;
}

/** Memory for {@link CLIENT_ENTRIES}, zeroed. */
export function allocateClientTable(): SharedArrayBuffer {
  return new SharedArrayBuffer(CLIENT_ENTRIES * (1 + ENTRY_CELLS) * Uint32Array.BYTES_PER_ELEMENT);
}

/** One thread's view of the table. */
export class ClientTable {
  readonly #cells: Uint32Array;
  readonly #locks: SharedLocks;
  readonly #part: LockHolder;

  /** @param part the worker's, or the primary's, who starts no request */
  constructor(memory: SharedArrayBuffer, part: LockHolder) {
    this.#cells = new Uint32Array(memory);
    this.#locks = new SharedLocks(new Int32Array(memory, 0, CLIENT_ENTRIES), part);
    this.#part = part;
  }

  /** Empties the entry for a client. Primary only. */
  open({ index, generation }: ClientEntry): void {
    this.#locks.hold(index, () => {
      const at = entryAt(index);
      this.#cells.fill(0, at, at + ENTRY_CELLS);
      this.#cells[at + GENERATION] = generation;
    });
  }

  /** Adds what the client used before this process began. Primary only. */
  recall({ index }: ClientEntry, limit: "requests" | "tokens", atMs: number, amount: number): void {
    this.#locks.hold(index, () => chargeClient(this.#cells, entryAt(index) + QUOTA, limit, atMs, amount));
  }

  /** Counts one more request in; or says why it must wait, and counts nothing. Each one in must {@link leave}. */
  enter({ index, generation }: ClientEntry, limits: ClientLimits, nowMs: number): ClientRefusal | undefined {
    return this.#locks.hold(index, () => {
      const at = entryAt(index);
      // Revoked in this very moment.
      if (this.#cells[at + GENERATION] !== generation) return undefined;
      const refusal = clientRefusal(this.#cells, at + QUOTA, limits, nowMs);
      if (refusal !== undefined) return refusal;
      if (limits.concurrency > 0 && this.#running(at) >= limits.concurrency) {
        return { limit: "concurrency", retryAfterMs: undefined };
      }
      chargeClient(this.#cells, at + QUOTA, "requests", nowMs, 1);
      const mine = at + RUNNING + this.#part;
      this.#cells[mine] = (this.#cells[mine] ?? 0) + 1;
      return undefined;
    });
  }

  /** A request that was let in has ended, and used so many tokens. */
  leave({ index, generation }: ClientEntry, tokens: number, nowMs: number): void {
    this.#locks.hold(index, () => {
      const at = entryAt(index);
      if (this.#cells[at + GENERATION] !== generation) return;
      const mine = at + RUNNING + this.#part;
      this.#cells[mine] = Math.max(0, (this.#cells[mine] ?? 0) - 1);
      if (tokens > 0) chargeClient(this.#cells, at + QUOTA, "tokens", nowMs, tokens);
    });
  }

  /** Takes back the locks and the requests in progress of a worker that died. Primary only. */
  reclaim(part: LockHolder): void {
    this.#locks.reclaim(part);
    for (let index = 0; index < CLIENT_ENTRIES; index += 1) {
      const cell = entryAt(index) + RUNNING + part;
      if (this.#cells[cell] !== 0) this.#cells[cell] = 0;
    }
  }

  #running(at: number): number {
    let running = 0;
    for (let cell = at + RUNNING; cell < at + RUNNING + PARTS; cell += 1) running += this.#cells[cell] ?? 0;
    return running;
  }
}

function entryAt(index: number): number {
  return CLIENT_ENTRIES + index * ENTRY_CELLS;
}
