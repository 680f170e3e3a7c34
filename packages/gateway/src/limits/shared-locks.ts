/**
 * Short locks over shared memory, for a handful of steps on cells that several threads change. Any thread.
 * A holder that dies must not stop the others: the primary takes back what a dead thread held, and should it be unable
 * to, whoever waits takes over a lock that has not changed hands for long. What a lock guards must therefore make sense
 * however far a holder got.
 */
import { monotonicNowMs } from "./monotonic-clock.ts";

/** Whoever locks: the part of a worker (0..255), or the primary. */
export type LockHolder = number;
export const PRIMARY_HOLDER: LockHolder = 256;

/** A lock's word is 0 when free, else the holder + 1 and, above these bits, the holder's own count of its locks. */
const HOLDER_BITS = 10;
const HOLDER_MASK = (1 << HOLDER_BITS) - 1;
const TICKETS = 1 << (31 - HOLDER_BITS);

/** Tries before the thread lets others run: the lock is held for less than a microsecond unless its holder is paused. */
const SPINS_MAX = 200;
const PAUSE_MS = 1;
/** No thread that lives holds a lock as long, pauses of its garbage collector included, milliseconds. */
const ABANDONED_MS = 500;

export class SharedLocks {
  readonly #words: Int32Array;
  readonly #holder: number;
  #tickets = 0;

  /** @param words one for each lock, 0 at first */
  constructor(words: Int32Array, holder: LockHolder) {
    this.#words = words;
    this.#holder = holder + 1;
  }

  /** Runs `action` while no other thread runs one under the same lock. Must not be nested. */
  hold<T>(lock: number, action: () => T): T {
    const mine = this.#acquire(lock);
    try {
      return action();
    } finally {
      // Only if it is still ours: it may have been taken over meanwhile.
      Atomics.compareExchange(this.#words, lock, mine, 0);
    }
  }

  /** Frees what a dead thread held. Primary only, after the thread has ended. */
  reclaim(holder: LockHolder): void {
    for (let lock = 0; lock < this.#words.length; lock += 1) {
      const word = Atomics.load(this.#words, lock);
      if ((word & HOLDER_MASK) === holder + 1) Atomics.compareExchange(this.#words, lock, word, 0);
    }
  }

  #acquire(lock: number): number {
    const mine = this.#nextWord();
    for (let spins = 0; spins < SPINS_MAX; spins += 1) {
      if (Atomics.compareExchange(this.#words, lock, 0, mine) === 0) return mine;
    }
    this.#acquirePatiently(lock, mine);
    return mine;
  }

  #acquirePatiently(lock: number, mine: number): void {
    let seen = 0;
    let seenAtMs = monotonicNowMs();
    for (;;) {
      const found = Atomics.compareExchange(this.#words, lock, 0, mine);
      if (found === 0) return;
      if (found !== seen) {
        seen = found;
        seenAtMs = monotonicNowMs();
      } else if (monotonicNowMs() - seenAtMs >= ABANDONED_MS) {
        if (Atomics.compareExchange(this.#words, lock, seen, mine) === seen) return;
      }
      Atomics.wait(this.#words, lock, found, PAUSE_MS);
    }
  }

  /** Differs from the one before, so that others see the lock change hands. */
  #nextWord(): number {
    this.#tickets = (this.#tickets + 1) % TICKETS;
    return (this.#tickets << HOLDER_BITS) | this.#holder;
  }
}
