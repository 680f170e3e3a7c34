/**
 * The table of conversations in blocks, each of which is stored as one row: tells which of them differ from what is
 * stored, and when each conversation was seen to be heard of, which the table itself does not know. No I/O. Primary thread;
 * costs the workers nothing, who write the table meanwhile.
 */
import { ConversationTable, NO_SLOT } from "../../affinity/conversation-table.ts";
import { BLOCK_SLOTS, type StoredConversation } from "./conversation-block.ts";

/** A conversation that nobody was seen to hear of for so long is not kept over a restart, seconds: 30 days. */
export const CONVERSATION_KEPT_S = 30 * 24 * 3_600;
/** In place of a time: nothing is kept of the block. */
const NEVER_S = 0xff_ff_ff_ff;

/** Times are seconds since the epoch. */
export class ConversationBlocks {
  /** How many there are; 0 when no conversations are kept. */
  readonly count: number;
  readonly #table: ConversationTable;
  /** By slot: what tells that it changed, and when it was seen to; 0 for never. */
  readonly #marks: Uint32Array;
  readonly #heardAtS: Uint32Array;
  /** By block: 1 when it says something else than is stored, when it was written, and the oldest time that is stored. */
  readonly #isOutdated: Uint8Array;
  readonly #writtenAtS: Uint32Array;
  readonly #oldestAtS: Uint32Array;

  /** @param memory see conversation-table.ts */
  constructor(memory: SharedArrayBuffer) {
    this.#table = new ConversationTable(memory);
    const { slots } = this.#table;
    this.count = Math.ceil(slots / BLOCK_SLOTS);
    this.#marks = new Uint32Array(slots);
    this.#heardAtS = new Uint32Array(slots);
    this.#isOutdated = new Uint8Array(this.count);
    this.#writtenAtS = new Uint32Array(this.count);
    this.#oldestAtS = new Uint32Array(this.count).fill(NEVER_S);
  }

  /** Sees what changed in the block since the last look. Says whether it is to be written. */
  look(block: number, nowS: number): boolean {
    const marks = this.#marks;
    const table = this.#table;
    for (let slot = block * BLOCK_SLOTS, end = this.#endOf(block); slot < end; slot += 1) {
      const mark = table.markAt(slot);
      if (mark === marks[slot]) continue;
      marks[slot] = mark;
      this.#heardAtS[slot] = nowS;
      this.#isOutdated[block] = 1;
    }
    const isTooOld = (this.#oldestAtS[block] ?? NEVER_S) <= nowS - CONVERSATION_KEPT_S;
    return isTooOld || this.#isOutdated[block] === 1;
  }

  /** When the block was last written; 0 for never. */
  writtenAtS(block: number): number {
    return this.#writtenAtS[block] ?? 0;
  }

  /** What is to be stored of the block. */
  conversationsOf(block: number, nowS: number): readonly StoredConversation[] {
    const conversations: StoredConversation[] = [];
    for (let slot = block * BLOCK_SLOTS, end = this.#endOf(block); slot < end; slot += 1) {
      const heardAtS = this.#heardAtS[slot] ?? 0;
      const kept = heardAtS > nowS - CONVERSATION_KEPT_S ? this.#table.at(slot) : undefined;
      if (kept === undefined) continue;
      const { left, right, keyId, heard } = kept;
      conversations.push({ left, right, keyId, heard, heardAtS });
    }
    return conversations;
  }

  /** This is stored of the block now; what changed since the last look will be seen at the next. */
  written(block: number, conversations: readonly StoredConversation[], nowS: number): void {
    this.#isOutdated[block] = 0;
    this.#writtenAtS[block] = nowS;
    this.#oldestAtS[block] = conversations.reduce(
      (least, { heardAtS }) => Math.min(least, heardAtS),
      NEVER_S,
    );
  }

  /**
   * Puts back what a row holds. Where that is not what was stored, the blocks are to be written: the table was of another
   * size, a conversation is known already, has lived too long, or its project is gone.
   * @param conversations undefined for a row that cannot be understood; in it, undefined for one that is not to come back
   */
  putBack(
    block: number,
    conversations: readonly (StoredConversation | undefined)[] | undefined,
    nowS: number,
  ): void {
    if (conversations === undefined) this.#outdate(block);
    for (const conversation of conversations ?? []) {
      const heardAtS = conversation?.heardAtS ?? 0;
      const isKept = conversation !== undefined && heardAtS > nowS - CONVERSATION_KEPT_S;
      const slot = isKept ? this.#table.putBack(conversation) : NO_SLOT;
      if (slot === NO_SLOT) this.#outdate(block);
      else this.#isBack(block, slot, Math.min(heardAtS, nowS));
    }
  }

  /** Nothing is stored of what was: all of it is to be written again, at once. */
  forgetStored(): void {
    for (const [block, oldestAtS] of this.#oldestAtS.entries())
      if (oldestAtS !== NEVER_S) this.#outdate(block);
    this.#writtenAtS.fill(0);
  }

  #isBack(block: number, slot: number, heardAtS: number): void {
    this.#marks[slot] = this.#table.markAt(slot);
    this.#heardAtS[slot] = heardAtS;
    const home = Math.floor(slot / BLOCK_SLOTS);
    this.#oldestAtS[home] = Math.min(this.#oldestAtS[home] ?? NEVER_S, heardAtS);
    if (home === block) return;
    this.#outdate(block);
    this.#outdate(home);
  }

  #endOf(block: number): number {
    return Math.min((block + 1) * BLOCK_SLOTS, this.#marks.length);
  }

  /** Rows may be of blocks that the table does not have. */
  #outdate(block: number): void {
    if (block < this.count) this.#isOutdated[block] = 1;
  }
}
