/**
 * Values by id, for hundreds of thousands of ids that mostly follow one another: pages of an ordinary array. Unlike a Map
 * it never copies all it holds to grow, which would be a pause of many milliseconds. Pure data structure.
 */

/** Ids of one page. */
const PAGE_IDS = 1024;

interface Page<T> {
  readonly firstId: number;
  /** Places without a value hold undefined. */
  readonly values: (T | undefined)[];
  used: number;
}

export class IdMap<T> {
  readonly #pages = new Map<number, Page<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): T | undefined {
    return this.#pages.get(pageOf(id))?.values[id % PAGE_IDS];
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  /** @param id an integer from 0 on */
  set(id: number, value: T): void {
    const number = pageOf(id);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = { firstId: number * PAGE_IDS, values: [], used: 0 };
      this.#pages.set(number, page);
    }
    const index = id % PAGE_IDS;
    while (page.values.length < index) page.values.push(undefined);
    if (page.values[index] === undefined) {
      page.used += 1;
      this.#size += 1;
    }
    page.values[index] = value;
  }

  /** True when there was a value. */
  delete(id: number): boolean {
    const number = pageOf(id);
    const page = this.#pages.get(number);
    const index = id % PAGE_IDS;
    if (page?.values[index] === undefined) return false;
    page.values[index] = undefined;
    page.used -= 1;
    this.#size -= 1;
    if (page.used === 0) this.#pages.delete(number);
    return true;
  }

  *values(): Generator<T, void, void> {
    for (const { values } of this.#pages.values()) {
      for (const value of values) if (value !== undefined) yield value;
    }
  }
}

function pageOf(id: number): number {
  return Math.floor(id / PAGE_IDS);
}
