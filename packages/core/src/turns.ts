/**
 * A line in which the first one leaves and often comes back as the last, for every request of a worker: to leave costs no
 * moving of the others. Pure.
 */

/** Places left empty at the front before the line is moved up. */
const EMPTY_MAX = 64;

export class Turns<Item> {
  #items: (Item | undefined)[] = [];
  /** Where the line begins; what is before it has left. */
  #first = 0;

  push(item: Item): void {
    this.#items.push(item);
  }

  /** Takes the first out. */
  take(): Item | undefined {
    if (this.#first === this.#items.length) return undefined;
    const item = this.#items[this.#first];
    this.#items[this.#first] = undefined;
    this.#first += 1;
    if (this.#first > EMPTY_MAX) this.#moveUp();
    return item;
  }

  /** Takes out the first that passes. */
  takeFirst(passes: (item: Item) => boolean): Item | undefined {
    this.#moveUp();
    const index = this.#items.findIndex((item) => passes(item as Item));
    return index < 0 ? undefined : this.#items.splice(index, 1)[0];
  }

  /** Takes out all that pass; the others keep their order. */
  takeAll(passes: (item: Item) => boolean): Item[] {
    const taken: Item[] = [];
    const left: Item[] = [];
    for (const item of this.all()) (passes(item) ? taken : left).push(item);
    if (taken.length > 0) this.#items = left;
    return taken;
  }

  /** Those in the line, in order. */
  all(): readonly Item[] {
    this.#moveUp();
    return this.#items as Item[];
  }

  #moveUp(): void {
    if (this.#first === 0) return;
    this.#items.splice(0, this.#first);
    this.#first = 0;
  }
}
