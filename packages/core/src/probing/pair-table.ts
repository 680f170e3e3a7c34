/**
 * One record for each key on each model, packed: hundreds of thousands of them are tens of megabytes, and looking for
 * those that are due is a walk over numbers. Pure data structure of the primary thread; it knows no clock.
 */
import type { KeyId } from "../lease.ts";
import type { OutcomeKind } from "../outcome.ts";

/** Most columns: the models, and the key itself. */
export const COLUMNS_MAX = 64;
/** Where a column begins; it doubles as keys come. */
const SLOTS_MIN = 64;
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
  readonly slot: number;
  readonly column: Column;
}

/** One model, or the key itself; written by {@link PairTable} and the functions of this file only. */
export class Column {
  readonly name: string;
  dueAtMs: Float64Array;
  resultAtMs: Float64Array;
  outcome: Uint8Array;
  repeats: Uint8Array;
  httpStatus: Uint16Array;

  constructor(name: string, slots: number) {
    this.name = name;
    this.dueAtMs = new Float64Array(slots).fill(Number.POSITIVE_INFINITY);
    this.resultAtMs = new Float64Array(slots);
    this.outcome = new Uint8Array(slots);
    this.repeats = new Uint8Array(slots);
    this.httpStatus = new Uint16Array(slots);
  }

  grow(slots: number): void {
    const grown = new Column(this.name, slots);
    grown.dueAtMs.set(this.dueAtMs);
    grown.resultAtMs.set(this.resultAtMs);
    grown.outcome.set(this.outcome);
    grown.repeats.set(this.repeats);
    grown.httpStatus.set(this.httpStatus);
    Object.assign(this, grown);
  }

  clear(slot: number): void {
    this.dueAtMs[slot] = Number.POSITIVE_INFINITY;
    this.resultAtMs[slot] = 0;
    this.outcome[slot] = 0;
    this.repeats[slot] = 0;
    this.httpStatus[slot] = 0;
  }
}

export class PairTable {
  readonly #slots = new Map<KeyId, number>();
  readonly #columns = new Map<string, Column>();
  /** The same, in the order of the walk. */
  readonly #round: Column[] = [];
  /** The key of each slot, or NO_KEY for one that is free. */
  #keys: KeyId[] = [];
  readonly #free: number[] = [];
  #capacity = SLOTS_MIN;
  /** Where the walk over due pairs goes on. */
  #walkColumn = 0;
  #walkSlot = 0;

  get size(): number {
    return this.#slots.size * this.#columns.size;
  }

  keyIds(): Iterable<KeyId> {
    return this.#slots.keys();
  }

  /** False when there is no room for another column, or it is there already. */
  addColumn(name: string): boolean {
    if (this.#columns.has(name) || this.#columns.size >= COLUMNS_MAX) return false;
    const column = new Column(name, this.#capacity);
    this.#columns.set(name, column);
    this.#round.push(column);
    return true;
  }

  /** False when the key is there already. */
  addKey(id: KeyId): boolean {
    if (this.#slots.has(id)) return false;
    const slot = this.#free.pop() ?? this.#keys.length;
    this.#keys[slot] = id;
    this.#slots.set(id, slot);
    if (slot < this.#capacity) return true;
    this.#capacity *= 2;
    for (const column of this.#columns.values()) column.grow(this.#capacity);
    return true;
  }

  removeKey(id: KeyId): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    this.#keys[slot] = NO_KEY;
    this.#free.push(slot);
    for (const column of this.#columns.values()) column.clear(slot);
  }

  place(id: KeyId, name: string): Place | undefined {
    const slot = this.#slots.get(id);
    const column = this.#columns.get(name);
    return slot === undefined || column === undefined ? undefined : { slot, column };
  }

  keyAt({ slot }: Place): KeyId {
    return this.#keys[slot] ?? NO_KEY;
  }

  /**
   * The next place that is due at `nowMs`, going round; undefined when none was met in `steps.left` steps, which are
   * used up. Costs a step for each place passed.
   */
  nextDue(nowMs: number, steps: { left: number }): Place | undefined {
    for (let turns = 0; turns <= this.#round.length && steps.left > 0; turns++) {
      const column = this.#round[this.#walkColumn];
      if (column === undefined) return undefined;
      const slot = this.#walk(column, nowMs, steps);
      if (slot >= 0) return { slot, column };
      if (this.#walkSlot < this.#keys.length) return undefined;
      this.#walkSlot = 0;
      this.#walkColumn = (this.#walkColumn + 1) % this.#round.length;
    }
    return undefined;
  }

  /** The earliest moment due in a column, infinite when there is none. Costs a step for each key: some tenths of a ms. */
  earliestDueMs(name: string): number {
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const atMs of this.#columns.get(name)?.dueAtMs ?? []) if (atMs < earliestMs) earliestMs = atMs;
    return earliestMs;
  }

  #walk({ dueAtMs: due }: Column, nowMs: number, steps: { left: number }): number {
    const end = Math.min(this.#keys.length, this.#walkSlot + steps.left);
    for (let slot = this.#walkSlot; slot < end; slot++) {
      if ((due[slot] as number) > nowMs) continue;
      steps.left -= slot + 1 - this.#walkSlot;
      this.#walkSlot = slot + 1;
      return slot;
    }
    steps.left -= end - this.#walkSlot;
    this.#walkSlot = end;
    return -1;
  }
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
