/**
 * What a conversation begins with, as a key: model, system instruction and the first turn of the user stay as they are
 * while the conversation grows, so that its later requests give the same key. Only a hint which project to prefer.
 * Pure; fed by the scanner, in any chunks, on the HTTP workers. Must never keep the text itself.
 */
import { hashBytes, hexOf, type Lanes } from "./byte-hash.ts";

/** Bytes of each turn that are hashed, with the length of the whole: what differs only later has another length, mostly. */
const SPAN_BYTES_MAX = 1024;
/** Turns before the user's first (system, developer) that count. */
const TURNS_MAX = 8;
const KEY_SEED = 0x63_6f_6e_76;

export class ConversationLead {
  #system: Lanes | undefined;
  readonly #turns: Lanes[] = [];
  #turnCount = 0;
  #isClosed = false;
  /** Offset in the body where the open span began; -1 for none. */
  #start = -1;
  #isSystem = false;
  /** Beginning of a span that began in an earlier chunk. */
  #kept: Buffer | undefined;

  /** Turns in the request: with one, it is the conversation's first. */
  get turnCount(): number {
    return this.#turnCount;
  }

  get isOpen(): boolean {
    return this.#start >= 0;
  }

  /** The turns begin (again: of two keys alike the last counts). */
  beginTurns(): void {
    this.#turns.length = 0;
    this.#turnCount = 0;
    this.#isClosed = false;
  }

  /** @returns whether the turn is to be ended with {@link end}. */
  beginTurn(start: number): boolean {
    this.#turnCount += 1;
    if (this.#isClosed) return false;
    this.#start = start;
    this.#isSystem = false;
    return true;
  }

  beginSystem(start: number): void {
    this.#start = start;
    this.#isSystem = true;
  }

  /** The chunk ends within the span. */
  keep(chunk: Buffer, chunkStart: number): void {
    const from = Math.max(0, this.#start - chunkStart);
    const missing = SPAN_BYTES_MAX - (this.#kept?.length ?? 0);
    if (missing <= 0) return;
    const piece = chunk.subarray(from, from + missing);
    this.#kept = this.#kept === undefined ? Buffer.from(piece) : Buffer.concat([this.#kept, piece]);
  }

  /**
   * The span ends before `end`.
   * @param isPreamble the turn is none of the user's or the model's: the next one counts too.
   */
  end(chunk: Buffer, chunkStart: number, end: number, isPreamble: boolean): void {
    const lanes = this.#lanesOf(chunk, chunkStart, end);
    this.#start = -1;
    this.#kept = undefined;
    if (this.#isSystem) {
      this.#system = lanes;
      return;
    }
    this.#turns.push(lanes);
    this.#isClosed = !isPreamble || this.#turns.length >= TURNS_MAX;
  }

  #lanesOf(chunk: Buffer, chunkStart: number, end: number): Lanes {
    const length = end - this.#start;
    const from = this.#start - chunkStart;
    if (from >= 0) return hashBytes(chunk, from, from + Math.min(length, SPAN_BYTES_MAX), length);
    this.keep(chunk.subarray(0, end - chunkStart), chunkStart);
    const kept = this.#kept ?? chunk;
    return hashBytes(kept, 0, kept.length, length);
  }

  /**
   * 64 bits as hexadecimal digits; undefined when the body holds no turns.
   * @param model the model asked for: what one has cached is of no use to another.
   */
  key(model: string): string | undefined {
    if (this.#turns.length === 0) return undefined;
    const system = this.#system === undefined ? "" : hexOf(this.#system);
    const text = Buffer.from(`${model}\n${system}\n${this.#turns.map(hexOf).join("\n")}`);
    return hexOf(hashBytes(text, 0, text.length, KEY_SEED));
  }
}
