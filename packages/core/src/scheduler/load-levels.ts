/**
 * Items in the order "least in flight, then least recently used", in O(1): one queue per number in flight.
 * Pure data structure of the primary thread.
 */
import { Link, append, appendAll, firstOf } from "./link.ts";

/** Numbers in flight from here on share one queue: there, turn by turn is even enough. */
export const LEVELS_MAX = 64;

export class LoadLevels<T> {
  readonly #heads: Link<T>[] = [];
  /** No level below this one holds an item. */
  #lowest = 0;

  /** Puts the item last among those with the same load, leaving the queue it stood in. `load` is an integer ≥ 0. */
  put(link: Link<T>, load: number): void {
    const level = Math.min(load, LEVELS_MAX - 1);
    while (this.#heads.length <= level) this.#heads.push(new Link<T>());
    append(this.#heads[level] as Link<T>, link);
    if (level < this.#lowest) this.#lowest = level;
  }

  /** The accepted item with the least load, longest unused first. One step for each item refused. */
  least(isAccepted: (item: T) => boolean): T | undefined {
    this.#skipEmpty();
    for (let level = this.#lowest; level < this.#heads.length; level++) {
      const found = firstOf(this.#heads[level] as Link<T>, isAccepted);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Takes over all items of `other`, behind its own of the same load. O({@link LEVELS_MAX}). */
  absorb(other: LoadLevels<T>): void {
    for (const [level, head] of other.#heads.entries()) {
      if (!head.isLinked) continue;
      while (this.#heads.length <= level) this.#heads.push(new Link<T>());
      appendAll(this.#heads[level] as Link<T>, head);
      if (level < this.#lowest) this.#lowest = level;
    }
  }

  #skipEmpty(): void {
    while (this.#lowest < this.#heads.length && !(this.#heads[this.#lowest] as Link<T>).isLinked)
      this.#lowest++;
  }
}
