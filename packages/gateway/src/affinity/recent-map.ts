/**
 * Values by name, those used lately: a bounded memory for what can be read again. In two generations, since taking the
 * oldest out of a large Map one by one costs a walk over all that was taken out before it. Pure data structure.
 */
export class RecentMap<T> {
  readonly #max: number;
  #young = new Map<string, T>();
  /** What was used before the young began to be filled. */
  #old = new Map<string, T>();

  /** @param max most values kept; at least half of them, the ones used last, are */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The value, which counts as used. */
  get(name: string): T | undefined {
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const old = this.#old.get(name);
    if (old !== undefined) this.set(name, old);
    return old;
  }

  set(name: string, value: T): void {
    this.#old.delete(name);
    this.#young.set(name, value);
    if (this.#young.size < this.#max / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  delete(name: string): void {
    this.#young.delete(name);
    this.#old.delete(name);
  }

  *entries(): Generator<readonly [string, T], void, void> {
    yield* this.#old;
    yield* this.#young;
  }
}
