/**
 * Moments at which something changes by itself (a rest ends, a trial falls due): a binary heap, earliest first.
 * Pure data structure of the primary thread; it knows no clock.
 */

/** What can be woken. The fields belong to {@link Alarms}; nobody else writes them. */
export interface Alarmed {
  /** Milliseconds since the epoch; meaningless while `alarmIndex` is -1. */
  alarmAtMs: number;
  /** Place in the heap, -1 when no alarm is set. */
  alarmIndex: number;
}

export class Alarms<T extends Alarmed> {
  readonly #heap: T[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest moment set, undefined when there is none. */
  get nextAtMs(): number | undefined {
    return this.#heap[0]?.alarmAtMs;
  }

  /**
   * The earliest moment of an item that fits, looking at `seenMax` items at most: only those are passed that come
   * before it and do not fit. Undefined when none was found.
   */
  nextAtMsOf(fits: (item: T) => boolean, seenMax: number): number | undefined {
    let earliestMs: number | undefined;
    const open = [0];
    for (let seen = 0; seen < seenMax; seen++) {
      const index = open.pop();
      if (index === undefined) break;
      const item = this.#heap[index];
      if (item === undefined || (earliestMs !== undefined && item.alarmAtMs >= earliestMs)) continue;
      // What lies below an item comes no sooner than the item.
      if (fits(item)) earliestMs = item.alarmAtMs;
      else open.push(2 * index + 1, 2 * index + 2);
    }
    return earliestMs;
  }

  /** Sets, moves or (with undefined) clears the item's only alarm. O(log n). */
  set(item: T, atMs: number | undefined): void {
    if (atMs === undefined) return this.#clear(item);
    item.alarmAtMs = atMs;
    if (item.alarmIndex < 0) {
      item.alarmIndex = this.#heap.length;
      this.#heap.push(item);
    }
    this.#settle(item);
  }

  /** Removes and returns the earliest item due at `nowMs`, undefined when none is. O(log n). */
  takeDue(nowMs: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.alarmAtMs > nowMs) return undefined;
    this.#clear(first);
    return first;
  }

  #clear(item: T): void {
    const index = item.alarmIndex;
    if (index < 0) return;
    item.alarmIndex = -1;
    const last = this.#heap.pop() as T;
    if (last === item) return;
    last.alarmIndex = index;
    this.#heap[index] = last;
    this.#settle(last);
  }

  #settle(item: T): void {
    this.#rise(item);
    this.#sink(item);
  }

  #rise(item: T): void {
    while (item.alarmIndex > 0) {
      const parent = this.#heap[(item.alarmIndex - 1) >> 1] as T;
      if (parent.alarmAtMs <= item.alarmAtMs) return;
      this.#swap(parent, item);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const left = this.#heap[2 * item.alarmIndex + 1];
      const right = this.#heap[2 * item.alarmIndex + 2];
      if (left === undefined) return;
      const child = right !== undefined && right.alarmAtMs < left.alarmAtMs ? right : left;
      if (child.alarmAtMs >= item.alarmAtMs) return;
      this.#swap(item, child);
    }
  }

  #swap(upper: T, lower: T): void {
    const [upperIndex, lowerIndex] = [upper.alarmIndex, lower.alarmIndex];
    this.#heap[upperIndex] = lower;
    this.#heap[lowerIndex] = upper;
    lower.alarmIndex = upperIndex;
    upper.alarmIndex = lowerIndex;
  }
}
