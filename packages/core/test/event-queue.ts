/**
 * Time for simulations: what happens when, in order, with seeded chance. Nothing here waits.
 */

/** Numbers in [0, 1) that repeat from the same seed (xorshift on 32 bits). */
export function seededRandom(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

interface Planned {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Things that will happen, run one by one in the order of their moments. */
export class EventQueue {
  /** Time since the start of the simulation, milliseconds; never goes back. */
  nowMs = 0;
  readonly #heap: Planned[] = [];
  #planned = 0;

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  at(atMs: number, run: () => void): void {
    this.#heap.push({ atMs: Math.max(atMs, this.nowMs), order: this.#planned++, run });
    this.#rise(this.#heap.length - 1);
  }

  /** Runs until nothing is planned any more; throws when that takes more than `eventsMax` events. */
  runAll(eventsMax: number): void {
    for (let events = 0; this.#heap.length > 0; events++) {
      if (events > eventsMax)
        throw new Error(`the simulation does not come to rest within ${eventsMax} events`);
      const next = this.#takeFirst();
      this.nowMs = next.atMs;
      next.run();
    }
  }

  #takeFirst(): Planned {
    const first = this.#heap[0] as Planned;
    const last = this.#heap.pop() as Planned;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    return first;
  }

  #rise(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #sink(): void {
    for (let index = 0; ;) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      if (left >= this.#heap.length) return;
      const child = right < this.#heap.length && this.#isBefore(right, left) ? right : left;
      if (!this.#isBefore(child, index)) return;
      this.#swap(child, index);
      index = child;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [first, second] = [this.#heap[a] as Planned, this.#heap[b] as Planned];
    return first.atMs < second.atMs || (first.atMs === second.atMs && first.order < second.order);
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b] as Planned, this.#heap[a] as Planned];
  }
}
