/**
 * Notices that a key comes again in an object in which it led to something before: of two keys alike JSON takes the
 * last, so what was found below the first is void. Pure; one for each body. Knows keys by hash: a chance meeting only
 * costs a parse. Nearly every body leaves it empty.
 */

/** Stands for every key too long to be hashed. */
export const LONG_KEY = -1;

export class HeldKeys {
  /** For each depth the keys, in the object open there, below which something was found. */
  readonly #held: (Set<number> | undefined)[] = [];

  /** Something was found: the current keys of all open objects lead to it. */
  hold(keyHashes: readonly number[], depth: number): void {
    for (let level = 1; level <= depth; level += 1) {
      const hash = keyHashes[level] as number;
      const held = this.#held[level];
      if (held === undefined) this.#held[level] = new Set([hash]);
      else held.add(hash);
    }
  }

  /** Whether the key may be one that was held in this object. */
  comesAgain(hash: number, depth: number): boolean {
    const held = this.#held[depth];
    if (held === undefined) return false;
    return hash === LONG_KEY || held.has(hash) || held.has(LONG_KEY);
  }

  /** The object or array at this depth is closed. */
  release(depth: number): void {
    if (depth < this.#held.length) this.#held[depth] = undefined;
  }
}
