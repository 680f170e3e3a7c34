/**
 * One record for each key on each model, packed: hundreds of thousands of them are tens of megabytes, and looking for
 * those that are due is a walk over numbers. Pure data structure of the primary thread; it knows no clock.
 */
import { IdMap } from "../id-map.ts";
import type { KeyId } from "../lease.ts";
import type { OutcomeKind } from "../outcome.ts";

/** Most columns: the models, and the key itself. */
export const COLUMNS_MAX = 64;
/** Keys of one block. The table grows by blocks: to copy a column of 65,536 keys into a larger one was a pause. */
const BLOCK_SLOTS = 1024;
const NO_KEY: KeyId = 0;

/** Never tested: nothing is known. Stored as 0. */
const KINDS: readonly (OutcomeKind | "untested")[] = [
  "untested",
  "served",
  "caller-fault",
  "caller-left",
  "key-dead",
  "key-misconfigured",
  "billing",
  "quota-minute",
  "quota-day",
  "model-unavailable",
  "request-over-quota",
  "foreign-resource",
  "overloaded",
  "empty",
  "broken",
  "network",
  "location",
];

/** What was last learnt of a pair. */
export interface PairResult {
  readonly outcome: OutcomeKind | "untested";
  /** HTTP status of the answer, 0 when there was none. */
  readonly httpStatus: number;
  /** Results of this kind in a row, at most 255. */
  readonly repeats: number;
  /** Milliseconds since the epoch, 0 for never. */
  readonly atMs: number;
}

/** A place in the table. Valid until its key is removed. */
export interface Place {
  readonly keyId: KeyId;
  /** Within the column. */
  readonly slot: number;
  readonly column: Column;
}

/** One model, or the key itself, for the keys of a block; written by {@link PairTable} and the functions of this file only. */
export class Column {
  readonly name: string;
  readonly dueAtMs = new Float64Array(BLOCK_SLOTS).fill(Number.POSITIVE_INFINITY);
  readonly resultAtMs = new Float64Array(BLOCK_SLOTS);
  readonly outcome = new Uint8Array(BLOCK_SLOTS);
  readonly repeats = new Uint8Array(BLOCK_SLOTS);
  readonly httpStatus = new Uint16Array(BLOCK_SLOTS);

  constructor(name: string) {
    this.name = name;
  }

  clear(slot: number): void {
    this.dueAtMs[slot] = Number.POSITIVE_INFINITY;
    this.resultAtMs[slot] = 0;
    this.outcome[slot] = 0;
    this.repeats[slot] = 0;
    this.httpStatus[slot] = 0;
  }
}

/** Read where a block has no column yet and none of its keys is due there. Never written. */
const NOTHING_DUE = new Column("");

/** So many keys, each in its slot. */
interface Block {
  /** By place. One comes to be when somebody first asks for it: of 100,000 keys all at once were 20 ms in one turn. */
  readonly columns: (Column | undefined)[];
  /** The key of each slot, or NO_KEY for one that is free. */
  readonly keys: Float64Array;
}

interface ColumnPlan {
  readonly name: string;
  /** When each key of a block is due where the column comes to be; undefined for never. */
  readonly firstDueMs: (() => number) | undefined;
}

export class PairTable {
  /** The number of each key: its slot, counted over all blocks. */
  readonly #numbers = new IdMap<number>();
  /** The place of each column in every block. */
  readonly #places = new Map<string, number>();
  /** By place. */
  readonly #columns: ColumnPlan[] = [];
  readonly #blocks: Block[] = [];
  readonly #free: number[] = [];
  #nextNumber = 0;
  /** Where the walk over due pairs goes on. */
  #walkColumn = 0;
  #walkNumber = 0;

  get size(): number {
    return this.#numbers.size * this.#columns.length;
  }

  /**
   * False when there is no room for another column, or it is there already. Costs nothing for each key: the moments at which
   * keys are due first (ms since the epoch; never, when not given) are drawn by the block, when a block is first looked at.
   */
  addColumn(name: string, firstDueMs?: () => number): boolean {
    if (this.#places.has(name) || this.#columns.length >= COLUMNS_MAX) return false;
    this.#places.set(name, this.#columns.length);
    this.#columns.push({ name, firstDueMs });
    return true;
  }

  /** False when the key is there already. */
  addKey(id: KeyId): boolean {
    if (this.#numbers.has(id)) return false;
    const number = this.#free.pop() ?? this.#nextNumber++;
    this.#numbers.set(id, number);
    const block = this.#blocks[blockOf(number)] ?? this.#addBlock();
    block.keys[number % BLOCK_SLOTS] = id;
    return true;
  }

  removeKey(id: KeyId): void {
    const number = this.#numbers.get(id);
    const block = number === undefined ? undefined : this.#blocks[blockOf(number)];
    if (number === undefined || block === undefined) return;
    this.#numbers.delete(id);
    block.keys[number % BLOCK_SLOTS] = NO_KEY;
    this.#free.push(number);
    for (const column of block.columns) column?.clear(number % BLOCK_SLOTS);
  }

  place(id: KeyId, name: string): Place | undefined {
    const number = this.#numbers.get(id);
    const index = this.#places.get(name);
    if (number === undefined || index === undefined) return undefined;
    const block = this.#blocks[blockOf(number)];
    return block && { keyId: id, slot: number % BLOCK_SLOTS, column: this.#columnOf(block, index) };
  }

  /**
   * The next pair that is due at `nowMs`, going round; undefined when none was met in `steps.left` steps, which are
   * used up. Costs a step for each place passed.
   */
  nextDue(nowMs: number, steps: { left: number }): Place | undefined {
    let turns = 0;
    const columns = this.#columns.length;
    while (turns <= columns && steps.left > 0) {
      const block = this.#blocks[blockOf(this.#walkNumber)];
      if (block === undefined || columns === 0 || this.#walkNumber >= this.#nextNumber) {
        this.#walkNumber = 0;
        this.#walkColumn = columns === 0 ? 0 : (this.#walkColumn + 1) % columns;
        turns += 1;
        continue;
      }
      const column = this.#readable(block, this.#walkColumn);
      const slot = this.#walk(column, nowMs, steps);
      if (slot >= 0) return { keyId: block.keys[slot] as number, slot, column };
    }
    return undefined;
  }

  /** The earliest moment due in a column, infinite when there is none. Costs a step for each key: some tenths of a ms. */
  earliestDueMs(name: string): number {
    const index = this.#places.get(name);
    let earliestMs = Number.POSITIVE_INFINITY;
    if (index === undefined) return earliestMs;
    for (const block of this.#blocks) {
      const due = this.#readable(block, index).dueAtMs;
      // By number: the iterator of a typed array costs ten times as much.
      for (let slot = 0; slot < BLOCK_SLOTS; slot++) {
        if ((due[slot] as number) < earliestMs) earliestMs = due[slot] as number;
      }
    }
    return earliestMs;
  }

  #addBlock(): Block {
    const block: Block = { columns: [], keys: new Float64Array(BLOCK_SLOTS) };
    this.#blocks.push(block);
    return block;
  }

  /** To be read only: a column that nobody asked for, and in which nothing is due, does not come to be. */
  #readable(block: Block, index: number): Column {
    const isMissing = block.columns[index] === undefined && this.#columns[index]?.firstDueMs === undefined;
    return isMissing ? NOTHING_DUE : this.#columnOf(block, index);
  }

  #columnOf({ columns, keys }: Block, index: number): Column {
    const known = columns[index];
    if (known !== undefined) return known;
    const { name, firstDueMs } = this.#columns[index] as ColumnPlan;
    const column = new Column(name);
    columns[index] = column;
    if (firstDueMs === undefined) return column;
    for (let slot = 0; slot < BLOCK_SLOTS; slot++)
      if (keys[slot] !== NO_KEY) column.dueAtMs[slot] = firstDueMs();
    return column;
  }

  /** Walks on within the block of the walk; the slot that is due, or -1. */
  #walk({ dueAtMs: due }: Column, nowMs: number, steps: { left: number }): number {
    const from = this.#walkNumber % BLOCK_SLOTS;
    const end = Math.min(BLOCK_SLOTS, from + steps.left);
    let slot = from;
    while (slot < end && (due[slot] as number) > nowMs) slot++;
    const isDue = slot < end;
    const passed = slot - from + Number(isDue);
    steps.left -= passed;
    this.#walkNumber += passed;
    return isDue ? slot : -1;
  }
}

function blockOf(number: number): number {
  return Math.floor(number / BLOCK_SLOTS);
}

export function dueAtMs({ slot, column }: Place): number {
  return column.dueAtMs[slot] ?? Number.POSITIVE_INFINITY;
}

/** @param atMs milliseconds since the epoch; infinite for never. */
export function setDue({ slot, column }: Place, atMs: number): void {
  column.dueAtMs[slot] = atMs;
}

export function resultAt({ slot, column }: Place): PairResult {
  return {
    outcome: KINDS[column.outcome[slot] ?? 0] ?? "untested",
    httpStatus: column.httpStatus[slot] ?? 0,
    repeats: column.repeats[slot] ?? 0,
    atMs: column.resultAtMs[slot] ?? 0,
  };
}

export function setResult({ slot, column }: Place, result: PairResult): void {
  column.outcome[slot] = Math.max(KINDS.indexOf(result.outcome), 0);
  column.httpStatus[slot] = result.httpStatus;
  column.repeats[slot] = Math.min(result.repeats, 255);
  column.resultAtMs[slot] = result.atMs;
}
