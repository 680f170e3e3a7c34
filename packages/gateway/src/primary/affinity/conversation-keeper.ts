/**
 * Keeps the conversations of all workers over a restart: walks their table, a part of it at a time, writes down the blocks
 * in which something changed, and puts back at the start what was stored. Primary thread. No request waits for it or tells
 * it anything. What cannot be written or read costs preferences, never a request.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import type { Logger } from "pino";
import { systemCodeOf } from "../../control/operator-error.ts";
import type { Steps } from "../keys/steps.ts";
import type { ConversationRow, ConversationRows } from "../store/conversation-rows.ts";
import { packBlock, type StoredConversation, unpackBlock } from "./conversation-block.ts";
import { ConversationBlocks } from "./conversation-blocks.ts";

export interface ConversationKeeperOptions {
  /** See conversation-table.ts. */
  readonly memory: SharedArrayBuffer;
  readonly rows: ConversationRows;
  /** A key in the pool of the project that this key is or was of; undefined when there is none. */
  readonly standInFor: (keyId: KeyId) => KeyId | undefined;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Blocks looked at in one turn, and written. A round of 65,536 conversations takes 1.6 s. */
const LOOKED_A_TURN = 16;
const WRITTEN_A_TURN = 8;
/** A block that goes on changing is written again after this time: 22 KB a second for 65,536 conversations. Seconds. */
const WRITE_AGAIN_S = 60;
/** After a write that failed the next one waits this long, milliseconds. */
const TRY_AGAIN_MS = 2_000;
/** Rows put back before the first request, of 262,144 conversations. The others follow, so many in one turn. */
const RESTORED_FIRST = 512;
const RESTORED_A_TURN = 16;
/** Rows written at once at the end, and deleted in one turn when the table has become smaller. */
const FLUSHED_AT_ONCE = 64;
const PRUNED_A_TURN = 16;

export class ConversationKeeper {
  readonly #options: ConversationKeeperOptions;
  readonly #blocks: ConversationBlocks;
  readonly #standIns = new Map<KeyId, KeyId | undefined>();
  /** The last row that was put back; undefined when all were. */
  #restoredTo: number | undefined = -1;
  #damagedRows = 0;
  /** There may be rows of blocks that the table does not have. */
  #hasSurplusRows = false;
  /** Where the walk goes on. */
  #nextBlock = 0;
  #tryAgainAtMs = Number.NEGATIVE_INFINITY;
  #hasFailed = false;

  constructor(options: ConversationKeeperOptions) {
    this.#options = options;
    this.#blocks = new ConversationBlocks(options.memory);
  }

  /** Puts back what was stored, as much of it as the start should wait for; the rest follows at the ticks. */
  *restore(): Steps<void> {
    for (let row = 0; row < RESTORED_FIRST && this.#restoredTo !== undefined; row += 1) {
      this.#restoreAfter(this.#restoredTo);
      yield;
    }
  }

  /** To be called several times a second. */
  tick(): void {
    for (let row = 0; row < RESTORED_A_TURN && this.#restoredTo !== undefined; row += 1)
      this.#restoreAfter(this.#restoredTo);
    if (this.#restoredTo !== undefined || this.#options.now() < this.#tryAgainAtMs) return;
    if (this.#hasSurplusRows) this.#pruneSurplus();
    const nowS = this.#nowS();
    const due: number[] = [];
    const most = Math.min(LOOKED_A_TURN, this.#blocks.count);
    for (let looked = 0; looked < most && due.length < WRITTEN_A_TURN; looked += 1) {
      const block = this.#nextBlock;
      this.#nextBlock = (block + 1) % this.#blocks.count;
      const isOutdated = this.#blocks.look(block, nowS);
      if (isOutdated && nowS - this.#blocks.writtenAtS(block) >= WRITE_AGAIN_S) due.push(block);
    }
    if (due.length > 0) this.#write(due, nowS);
  }

  /** Writes everything, unless the database refuses; at the end of the process. */
  flush(): void {
    // What is stored and was not read yet must not be written over.
    if (this.#restoredTo !== undefined) return;
    const nowS = this.#nowS();
    let due: number[] = [];
    for (let block = 0; block < this.#blocks.count; block += 1) {
      if (this.#blocks.look(block, nowS)) due.push(block);
      if (due.length < FLUSHED_AT_ONCE) continue;
      if (!this.#write(due, nowS)) return;
      due = [];
    }
    if (due.length > 0) this.#write(due, nowS);
  }

  /** Another database has taken the place of the one there was: what is in memory is written again. */
  forgetStored(): void {
    this.#blocks.forgetStored();
  }

  /** Says whether they could be written. */
  #write(blocks: readonly number[], nowS: number): boolean {
    const written = blocks.map((block) => ({
      block,
      conversations: this.#blocks.conversationsOf(block, nowS),
    }));
    try {
      this.#options.rows.save(
        written.map(({ block, conversations }) => ({ block, entries: packBlock(conversations) })),
      );
    } catch (error) {
      this.#failed(error, "conversations wait in memory to be written");
      return false;
    }
    this.#hasFailed = false;
    for (const { block, conversations } of written) this.#blocks.written(block, conversations, nowS);
    return true;
  }

  #restoreAfter(block: number): void {
    const { count } = this.#blocks;
    const row = count === 0 ? undefined : this.#readAfter(block);
    if (row === undefined) return this.#restored(count === 0 || block >= count);
    this.#restoredTo = row.block;
    const stored = unpackBlock(row.entries);
    if (stored === undefined) this.#damagedRows += 1;
    const ofPool = stored?.map((conversation) => this.#ofPool(conversation));
    this.#blocks.putBack(row.block, ofPool, this.#nowS());
  }

  #readAfter(block: number): ConversationRow | undefined {
    try {
      return this.#options.rows.after(block);
    } catch (error) {
      this.#failed(error, "conversations cannot be read from the database: some are forgotten");
      return undefined;
    }
  }

  /** The conversation under a key of its project that is in the pool; undefined when there is none. */
  #ofPool(stored: StoredConversation): StoredConversation | undefined {
    if (!this.#standIns.has(stored.keyId))
      this.#standIns.set(stored.keyId, this.#options.standInFor(stored.keyId));
    const keyId = this.#standIns.get(stored.keyId);
    if (keyId === stored.keyId) return stored;
    return keyId === undefined ? undefined : { ...stored, keyId };
  }

  #restored(hasSurplusRows: boolean): void {
    this.#restoredTo = undefined;
    this.#hasSurplusRows = hasSurplusRows;
    this.#standIns.clear();
    const { log } = this.#options;
    if (this.#damagedRows > 0) log.warn({ rows: this.#damagedRows }, DAMAGED);
  }

  #pruneSurplus(): void {
    try {
      this.#hasSurplusRows = this.#options.rows.pruneFrom(this.#blocks.count, PRUNED_A_TURN) > 0;
    } catch (error) {
      this.#failed(error, "conversations that are not kept any more cannot be deleted");
    }
  }

  /** Of troubles that last, the store tells. */
  #failed(error: unknown, what: string): void {
    this.#tryAgainAtMs = this.#options.now() + TRY_AGAIN_MS;
    if (!this.#hasFailed) this.#options.log.warn({ code: systemCodeOf(error) }, what);
    this.#hasFailed = true;
  }

  #nowS(): number {
    return Math.floor(this.#options.now() / 1000);
  }
}

const DAMAGED = "conversations in the database are damaged: they are forgotten, and go on at any project";
