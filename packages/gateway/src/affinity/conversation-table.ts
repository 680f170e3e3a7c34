/**
 * Which key served a conversation last, for all threads without a message or a lock: a set-associative table in shared
 * memory. A conversation may stand in one set of {@link WAYS} slots; in a full set the one heard of longest ago gives way.
 *
 * Each half of a slot's hash is stored mixed with what the slot says, so that whoever reads a slot while another thread
 * writes it finds no conversation at all rather than a wrong key; what is lost so is only a preference. Any thread.
 */
import type { KeyId } from "@gemini-gateway/core/lease";

/** Slots of a set. */
const WAYS = 8;
/** The cells of a slot: the halves of the hash, each mixed with the two that follow. */
const LEFT = 0;
const RIGHT = 1;
const KEY = 2;
const HEARD = 3;
const SLOT_CELLS = 4;
/** What is heard of is numbered, set by set; 0 stands for an empty slot, and after this number a set begins anew. */
const HEARD_MAX = 0xff_ff_ff_ff;
/** Memory of one conversation, bytes. */
export const CONVERSATION_BYTES = SLOT_CELLS * Uint32Array.BYTES_PER_ELEMENT;

/** No key: ids of keys begin at 1. */
export const NO_KEY: KeyId = 0;

/** 64 bits that tell a conversation from others, well spread. */
export interface Conversation {
  readonly left: number;
  readonly right: number;
}

/** A conversation with what its slot says, for whoever keeps it elsewhere. */
export interface KeptConversation extends Conversation {
  readonly keyId: KeyId;
  /** Its number in its set: the highest was heard of last. */
  readonly heard: number;
}

/** In place of a slot: there is none. */
export const NO_SLOT = -1;

/** Memory for at least so many conversations; for 0 a table that keeps none. */
export function allocateConversations(conversations: number): SharedArrayBuffer {
  const sets = conversations <= 0 ? 0 : 2 ** Math.ceil(Math.log2(Math.max(1, conversations / WAYS)));
  return new SharedArrayBuffer(sets * WAYS * CONVERSATION_BYTES);
}

/** One thread's view of the table. */
export class ConversationTable {
  readonly #cells: Uint32Array<SharedArrayBuffer>;
  /** Sets - 1; -1 for a table that keeps none. */
  readonly #mask: number;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Uint32Array(memory);
    this.#mask = this.#cells.length / (WAYS * SLOT_CELLS) - 1;
  }

  /** Whether conversations are kept at all: if not, none need be recognised. */
  get isOn(): boolean {
    return this.#mask >= 0;
  }

  /** The key that served the conversation last, {@link NO_KEY} when that is not known. */
  find({ left, right }: Conversation): KeyId {
    if (this.#mask < 0) return NO_KEY;
    const slot = this.#slotOf(left, right);
    if (slot < 0) return NO_KEY;
    const key = this.#cell(slot + KEY);
    const heard = this.#cell(slot + HEARD);
    // Looked at again: a slot that was whole a moment ago may be another's by now.
    if (!this.#isSlotOf(slot, left, right, key, heard)) return NO_KEY;
    const newest = this.#newestIn(this.#setOf(right));
    if (heard < newest) this.#write(slot, left, right, key, newest + 1);
    return key;
  }

  /** The key served the conversation: from now on it is the one to be found. */
  keep({ left, right }: Conversation, key: KeyId): void {
    if (this.#mask < 0) return;
    const set = this.#setOf(right);
    const own = this.#slotOf(left, right);
    const newest = this.#newestIn(set);
    this.#write(own < 0 ? this.#stalestOf(set) : own, left, right, key, newest + 1);
  }

  /** How many slots there are; they are numbered from 0. */
  get slots(): number {
    return this.#cells.length / SLOT_CELLS;
  }

  /** Another number whenever the slot says something else, but for one time in four billion; 0 before it says anything. */
  markAt(slot: number): number {
    return this.#cell(slot * SLOT_CELLS + LEFT);
  }

  /** What the slot says; undefined when it is empty or, as far as that can be seen, just being written. */
  at(slot: number): KeptConversation | undefined {
    const from = slot * SLOT_CELLS;
    const keyId = this.#cell(from + KEY);
    const heard = this.#cell(from + HEARD);
    if (heard === 0) return undefined;
    const seal = sealOf(keyId, heard);
    const left = (this.#cell(from + LEFT) ^ seal) >>> 0;
    const right = (this.#cell(from + RIGHT) ^ seal) >>> 0;
    const isOfSet = this.#setOf(right) === from - (from % (WAYS * SLOT_CELLS));
    return isOfSet ? { left, right, keyId, heard } : undefined;
  }

  /**
   * Puts back what another table held, with its number. What is there already stays: {@link NO_SLOT} when the conversation
   * is known or its set is full, else the slot that it got.
   */
  putBack({ left, right, keyId, heard }: KeptConversation): number {
    if (this.#mask < 0 || this.#slotOf(left, right) >= 0) return NO_SLOT;
    const slot = this.#stalestOf(this.#setOf(right));
    if (this.#cell(slot + HEARD) !== 0) return NO_SLOT;
    this.#write(slot, left, right, keyId, heard);
    return slot / SLOT_CELLS;
  }

  /**
   * Read like any array: Atomics.load is a call, at ten times the cost, and what it would promise is not needed. A cell is
   * never half-written, and cells that do not belong together are told by their seal.
   */
  #cell(at: number): number {
    return this.#cells[at] ?? 0;
  }

  #setOf(right: number): number {
    return (right & this.#mask) * WAYS * SLOT_CELLS;
  }

  #slotOf(left: number, right: number): number {
    const set = this.#setOf(right);
    for (let slot = set; slot < set + WAYS * SLOT_CELLS; slot += SLOT_CELLS) {
      const key = this.#cell(slot + KEY);
      const heard = this.#cell(slot + HEARD);
      if (this.#isSlotOf(slot, left, right, key, heard)) return slot;
    }
    return -1;
  }

  #isSlotOf(slot: number, left: number, right: number, key: KeyId, heard: number): boolean {
    if (heard === 0) return false;
    const seal = sealOf(key, heard);
    return (
      this.#cell(slot + LEFT) === (left ^ seal) >>> 0 && this.#cell(slot + RIGHT) === (right ^ seal) >>> 0
    );
  }

  #stalestOf(set: number): number {
    let stalest = set;
    let least = Number.POSITIVE_INFINITY;
    for (let slot = set; slot < set + WAYS * SLOT_CELLS; slot += SLOT_CELLS) {
      const heard = this.#cell(slot + HEARD);
      if (heard < least) [stalest, least] = [slot, heard];
    }
    return stalest;
  }

  /** The last number given in the set. Empties a set whose numbers are used up. */
  #newestIn(set: number): number {
    let newest = 0;
    for (let slot = set; slot < set + WAYS * SLOT_CELLS; slot += SLOT_CELLS) {
      newest = Math.max(newest, this.#cell(slot + HEARD));
    }
    if (newest < HEARD_MAX) return newest;
    for (let slot = set; slot < set + WAYS * SLOT_CELLS; slot += SLOT_CELLS) {
      Atomics.store(this.#cells, slot + HEARD, 0);
    }
    return 0;
  }

  #write(slot: number, left: number, right: number, key: KeyId, heard: number): void {
    const seal = sealOf(key, heard);
    Atomics.store(this.#cells, slot + KEY, key);
    Atomics.store(this.#cells, slot + HEARD, heard);
    Atomics.store(this.#cells, slot + LEFT, (left ^ seal) >>> 0);
    Atomics.store(this.#cells, slot + RIGHT, (right ^ seal) >>> 0);
  }
}

/** Another number for another key or time; the steps are the finishing mix of MurmurHash3. */
function sealOf(key: KeyId, heard: number): number {
  let seal = Math.imul(key, 0x9e_37_79_b1) ^ heard;
  seal = Math.imul(seal ^ (seal >>> 16), 0x85_eb_ca_6b);
  seal = Math.imul(seal ^ (seal >>> 13), 0xc2_b2_ae_35);
  return (seal ^ (seal >>> 16)) >>> 0;
}
