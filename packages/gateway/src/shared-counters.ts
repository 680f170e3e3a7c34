/**
 * Counters that all threads share under Atomics: limits that must hold over the whole gateway without a message.
 * Each worker also keeps its own part, so that the primary can take back what a dead worker still held.
 */

/**
 * Requests being served; those that wait for a key, Live sessions among them; request bodies kept for replay, in KiB so
 * that 32 bits hold any machine's memory; Live sessions, which are no requests.
 */
export type Counter = "requests" | "waiting" | "bodyKibibytes" | "sessions";

const SLOTS: Readonly<Record<Counter, number>> = { requests: 0, waiting: 1, bodyKibibytes: 2, sessions: 3 };
const COUNTERS = 4;

/**
 * What is only ever counted up, since the start: requests of conversations that stayed with their project, and those that
 * had to go to another.
 */
export type Tally = "conversationsKept" | "conversationsMoved";
const TALLY_SLOTS: Readonly<Record<Tally, number>> = {
  conversationsKept: COUNTERS,
  conversationsMoved: COUNTERS + 1,
};
const TALLIES = 2;
/** Slots before the workers' own: the totals, the tallies, then the flags. */
const READY_SLOT = COUNTERS + TALLIES;
const DATABASE_SLOT = READY_SLOT + 1;
const HEAD_SLOTS = DATABASE_SLOT + 1;

/** Why `/readyz` says no; the position is the value stored. */
const READINESS = ["no-key-ready", "ready", "draining"] as const;
export type Readiness = (typeof READINESS)[number];

/** How the database fares: `failing`, it cannot be written now; `in-memory`, there is no file at all. */
const DATABASE_STATES = ["ok", "failing", "in-memory"] as const;
export type DatabaseState = (typeof DATABASE_STATES)[number];

/** Memory for `workers` parts, zeroed. */
export function allocateCounters(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer((HEAD_SLOTS + workers * COUNTERS) * Int32Array.BYTES_PER_ELEMENT);
}

/** A view for one thread. `part` is the worker's index, 0-based; the primary uses any. */
export class SharedCounters {
  readonly #cells: Int32Array;
  readonly #base: number;

  constructor(memory: SharedArrayBuffer, part: number) {
    this.#cells = new Int32Array(memory);
    this.#base = HEAD_SLOTS + part * COUNTERS;
  }

  /** Adds `amount` (at most 2^31 - 1 in total) unless the total would pass `max`; says whether it was added. */
  tryAdd(counter: Counter, amount: number, max: number): boolean {
    const slot = SLOTS[counter];
    const before = Atomics.add(this.#cells, slot, amount);
    if (before + amount > max) {
      Atomics.sub(this.#cells, slot, amount);
      return false;
    }
    Atomics.add(this.#cells, this.#base + slot, amount);
    return true;
  }

  add(counter: Counter, amount: number): void {
    this.tryAdd(counter, amount, Number.POSITIVE_INFINITY);
  }

  subtract(counter: Counter, amount: number): void {
    const slot = SLOTS[counter];
    Atomics.sub(this.#cells, slot, amount);
    Atomics.sub(this.#cells, this.#base + slot, amount);
  }

  total(counter: Counter): number {
    return Atomics.load(this.#cells, SLOTS[counter]);
  }

  count(tally: Tally): void {
    Atomics.add(this.#cells, TALLY_SLOTS[tally], 1);
  }

  /** Begins anew at 2^32. */
  counted(tally: Tally): number {
    return Atomics.load(this.#cells, TALLY_SLOTS[tally]) >>> 0;
  }

  /** What this part holds of the total. */
  own(counter: Counter): number {
    return Atomics.load(this.#cells, this.#base + SLOTS[counter]);
  }

  /** Takes back all that a dead worker still held. Primary only, after the worker has exited. */
  reclaimPart(): void {
    for (const slot of Object.values(SLOTS)) {
      Atomics.sub(this.#cells, slot, Atomics.exchange(this.#cells, this.#base + slot, 0));
    }
  }

  get readiness(): Readiness {
    return READINESS[Atomics.load(this.#cells, READY_SLOT)] ?? "no-key-ready";
  }

  set readiness(value: Readiness) {
    Atomics.store(this.#cells, READY_SLOT, READINESS.indexOf(value));
  }

  get database(): DatabaseState {
    return DATABASE_STATES[Atomics.load(this.#cells, DATABASE_SLOT)] ?? "ok";
  }

  set database(value: DatabaseState) {
    Atomics.store(this.#cells, DATABASE_SLOT, DATABASE_STATES.indexOf(value));
  }
}
