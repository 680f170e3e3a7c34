/**
 * The projects that can serve, in the order in which they became able to. Each model walks through it once with a cursor
 * of its own to find projects it has never tried, so that an untouched project costs a model no memory.
 * Pure data structure of the primary thread.
 */

/** What can stand in the roster. `rosterIndex` belongs to {@link Roster}: -1 while it does not. */
export interface Rostered {
  rosterIndex: number;
}

/** How far one model has walked. Belongs to {@link Roster}. */
export interface RosterCursor {
  position: number;
}

/** Gaps that are tolerated before the roster closes them, whatever its size. */
const GAPS_MIN = 1024;

/** Places looked at for one item of a spread. */
const SPREAD_LOOKS_MAX = 64;

export class Roster<T extends Rostered> {
  #slots: (T | undefined)[] = [];
  #size = 0;
  readonly #cursors = new Set<RosterCursor>();

  get size(): number {
    return this.#size;
  }

  /** Puts the item last, so that every cursor meets it (again). */
  add(item: T): void {
    if (item.rosterIndex >= 0) return;
    item.rosterIndex = this.#slots.length;
    this.#slots.push(item);
    this.#size++;
  }

  remove(item: T): void {
    if (item.rosterIndex < 0) return;
    this.#slots[item.rosterIndex] = undefined;
    item.rosterIndex = -1;
    this.#size--;
    const gaps = this.#slots.length - this.#size;
    if (gaps > GAPS_MIN && gaps > this.#size) this.#closeGaps();
  }

  /** At most `max` of the items, from places evenly spread: the same ones while none comes or goes. */
  spread(max: number): T[] {
    const step = Math.max(1, this.#slots.length / max);
    const items: T[] = [];
    for (let begin = 0; begin < this.#slots.length && items.length < max; begin += step) {
      const end = Math.min(begin + step, begin + SPREAD_LOOKS_MAX, this.#slots.length);
      const item = this.#slots.slice(Math.floor(begin), Math.ceil(end)).find((slot) => slot !== undefined);
      if (item !== undefined && item !== items.at(-1)) items.push(item);
    }
    return items;
  }

  /** A cursor before the first item. Give it back with {@link dropCursor}. */
  addCursor(): RosterCursor {
    const cursor = { position: 0 };
    this.#cursors.add(cursor);
    return cursor;
  }

  dropCursor(cursor: RosterCursor): void {
    this.#cursors.delete(cursor);
  }

  /** The next item, or undefined at the end. Each item costs each cursor one step over the roster's life. */
  next(cursor: RosterCursor): T | undefined {
    while (cursor.position < this.#slots.length) {
      const item = this.#slots[cursor.position++];
      if (item !== undefined) return item;
    }
    return undefined;
  }

  #closeGaps(): void {
    const kept: T[] = [];
    const keptBefore = new Int32Array(this.#slots.length + 1);
    for (const [index, item] of this.#slots.entries()) {
      keptBefore[index] = kept.length;
      if (item === undefined) continue;
      item.rosterIndex = kept.length;
      kept.push(item);
    }
    keptBefore[this.#slots.length] = kept.length;
    for (const cursor of this.#cursors) cursor.position = keptBefore[cursor.position] ?? kept.length;
    this.#slots = kept;
  }
}
