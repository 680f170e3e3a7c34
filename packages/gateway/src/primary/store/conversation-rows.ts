/**
 * The table of conversations: which key served each last, a block of many in one row. Primary thread (and the command
 * line, reading). What a block says is `affinity/conversation-block.ts`'s to know.
 */
import type Database from "better-sqlite3";

export interface ConversationRow {
  /** Number of the block, from 0. */
  readonly block: number;
  readonly entries: Buffer;
}

export interface ConversationRows {
  /** The first row after this block; undefined when there is none. Some microseconds. */
  after(block: number): ConversationRow | undefined;
  /** Inserts or replaces in one transaction. */
  save(rows: readonly ConversationRow[]): void;
  /** Deletes at most `rowsMax` rows of this block and later ones. Returns how many. */
  pruneFrom(block: number, rowsMax: number): number;
}

export function conversationRows(database: Database.Database): ConversationRows {
  const next = database.prepare<[number], ConversationRow>(
    "SELECT block, entries FROM conversations WHERE block > ? ORDER BY block LIMIT 1",
  );
  const upsert = database.prepare<[number, Buffer]>(
    `INSERT INTO conversations (block, entries) VALUES (?, ?)
     ON CONFLICT (block) DO UPDATE SET entries = excluded.entries`,
  );
  const prune = database.prepare<[number, number]>(
    "DELETE FROM conversations WHERE block IN (SELECT block FROM conversations WHERE block >= ? LIMIT ?)",
  );
  return {
    after: (block) => next.get(block),
    save: database.transaction((rows: readonly ConversationRow[]) => {
      for (const { block, entries } of rows) upsert.run(block, entries);
    }),
    pruneFrom: (block, rowsMax) => prune.run(block, rowsMax).changes,
  };
}
