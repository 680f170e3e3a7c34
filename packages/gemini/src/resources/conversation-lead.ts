/**
 * What a conversation begins with, as a key: model, system instruction and the first turn of the user stay as they are
 * while the conversation grows, so that its later requests give the same key. Only a hint which project to prefer.
 * Pure; fed by the scanner, in any chunks, on the HTTP workers. Must never keep the text itself.
 */
import { hashBoth, hashBytes, hashText, type Lanes } from "./byte-hash.ts";
import type { Part } from "./json-place.ts";
import { isSame } from "./key-table.ts";

/** Bytes of each turn that are hashed, from its beginning and from its end, with its length: templates differ late. */
const HEAD_BYTES = 256;
const TAIL_BYTES = 256;
/** Turns before the user's first (system, developer) that count. */
const TURNS_MAX = 8;
/** Roles of what is said to the model before the user speaks. */
const SYSTEM_ROLE = Buffer.from("system");
const DEVELOPER_ROLE = Buffer.from("developer");
const EMPTY = Buffer.alloc(0);
/** Stands for a system instruction that is not there. */
const NO_SYSTEM: Lanes = { left: 0, right: 0 };
const KEY_SEED = 0x63_6f_6e_76;

export class ConversationLead {
  #system: Lanes | undefined;
  readonly #turns: Lanes[] = [];
  #turnCount = 0;
  #isClosed = false;
  /** Offset in the body where the open span began, and how many objects and arrays are open around it; -1 for none. */
  #start = -1;
  #depth = -1;
  #isSystem = false;
  /** The turn is none of the user's or the model's: the next one counts too. */
  #isPreamble = false;
  /** Beginning of a span that began in an earlier chunk, and its end so far. */
  #head: Buffer | undefined;
  #tail: Buffer | undefined;

  /** Turns in the request: with one, it is the conversation's first. */
  get turnCount(): number {
    return this.#turnCount;
  }

  /** Depth of the value that is to be ended with {@link end}; -1 for none. */
  get depth(): number {
    return this.#depth;
  }

  /** The turns begin (again: of two keys alike the last counts). */
  beginTurns(): void {
    this.#turns.length = 0;
    this.#turnCount = 0;
    this.#isClosed = false;
  }

  /** A turn or the system instruction begins at this offset of the body. */
  begin(part: Exclude<Part, undefined>, depth: number, start: number): void {
    this.#isSystem = part === "system";
    if (!this.#isSystem) this.#turnCount += 1;
    if (!this.#isSystem && this.#isClosed) return;
    this.#start = start;
    this.#depth = depth;
    this.#isPreamble = false;
  }

  /** The role of the open turn, as it stands in the body; one with escapes is no preamble. */
  takeRole(bytes: Buffer, start: number, end: number): void {
    if (isSame(SYSTEM_ROLE, bytes, start, end) || isSame(DEVELOPER_ROLE, bytes, start, end))
      this.#isPreamble = true;
  }

  /** The chunk ends, possibly within the span. */
  keep(chunk: Buffer, chunkStart: number): void {
    if (this.#depth < 0) return;
    const fresh = chunk.subarray(Math.max(0, this.#start - chunkStart));
    const head = this.#head ?? EMPTY;
    if (head.length < HEAD_BYTES)
      this.#head = Buffer.concat([head, fresh.subarray(0, HEAD_BYTES - head.length)]);
    this.#tail = Buffer.concat([this.#tail ?? EMPTY, fresh.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
  }

  /** The open span ends before `end`. */
  end(chunk: Buffer, chunkStart: number, end: number): void {
    const lanes = this.#lanesOf(chunk, chunkStart, end);
    this.#start = -1;
    this.#depth = -1;
    this.#head = undefined;
    this.#tail = undefined;
    if (this.#isSystem) {
      this.#system = lanes;
      return;
    }
    this.#turns.push(lanes);
    this.#isClosed = !this.#isPreamble || this.#turns.length >= TURNS_MAX;
  }

  #lanesOf(chunk: Buffer, chunkStart: number, end: number): Lanes {
    const length = end - this.#start;
    const from = this.#start - chunkStart;
    if (from < 0) this.keep(chunk.subarray(0, end - chunkStart), chunkStart);
    const head = this.#head ?? chunk;
    const headFrom = this.#head === undefined ? from : 0;
    const first = hashBytes(head, headFrom, headFrom + Math.min(length, HEAD_BYTES), length);
    const tailBytes = Math.min(length - HEAD_BYTES, TAIL_BYTES);
    if (tailBytes <= 0) return first;
    const tail = this.#tail ?? chunk;
    const tailEnd = this.#tail === undefined ? end - chunkStart : tail.length;
    const last = hashBytes(tail, tailEnd - tailBytes, tailEnd, first.right);
    return { left: first.left ^ last.left, right: first.right ^ last.right };
  }

  /**
   * 64 bits, well spread; undefined when the body holds no turns.
   * @param model the model asked for: what one has cached is of no use to another.
   */
  key(model: string): Lanes | undefined {
    if (this.#turns.length === 0) return undefined;
    let key = hashText(model, KEY_SEED);
    key = hashBoth(key, this.#system ?? NO_SYSTEM);
    for (const turn of this.#turns) key = hashBoth(key, turn);
    return key;
  }
}
