/** How conversations reach the database and come back: in short steps, no more than need be, whatever the database does. */
import type Database from "better-sqlite3";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  allocateConversations,
  type Conversation,
  ConversationTable,
  NO_KEY,
} from "../src/affinity/conversation-table.ts";
import { BLOCK_SLOTS, unpackBlock } from "../src/primary/affinity/conversation-block.ts";
import { CONVERSATION_KEPT_S } from "../src/primary/affinity/conversation-blocks.ts";
import { ConversationKeeper } from "../src/primary/affinity/conversation-keeper.ts";
import { finish } from "../src/primary/keys/steps.ts";
import { conversationRows } from "../src/primary/store/conversation-rows.ts";
import { copyTables } from "../src/primary/store/copy-tables.ts";
import { memoryDatabase } from "../src/primary/store/open-database.ts";

const START_S = 1_700_000_000;
/** A key that left with its project, and one that another stands in for. */
const GONE = 1_000;
const LEFT = 2_000;
const STAND_IN = 2_001;

let database: Database.Database;
beforeEach(() => {
  database = memoryDatabase();
});
afterEach(() => void database.close());

/** A gateway's run as far as conversations go. */
class Run {
  readonly table: ConversationTable;
  readonly keeper: ConversationKeeper;
  readonly logged: string[] = [];
  /** Rows of each write. */
  readonly writes: number[] = [];
  nowS = START_S;
  isFull = false;
  reads = 0;

  /** With so many conversations; restored, unless `isRestored` is false. */
  constructor(size: number, { isRestored = true, nowS = START_S } = {}) {
    this.nowS = nowS;
    const memory = allocateConversations(size);
    const rows = conversationRows(database);
    this.table = new ConversationTable(memory);
    this.keeper = new ConversationKeeper({
      memory,
      rows: {
        ...rows,
        after: (block) => {
          this.reads += 1;
          return rows.after(block);
        },
        save: (saved) => {
          if (this.isFull)
            throw Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
          this.writes.push(saved.length);
          rows.save(saved);
        },
      },
      standInFor: (keyId) => (keyId === LEFT ? STAND_IN : keyId === GONE ? undefined : keyId),
      log: pino({ level: "trace" }, { write: (line: string) => void this.logged.push(line) }),
      now: () => this.nowS * 1000 + 500,
    });
    if (isRestored) finish(this.keeper.restore());
  }

  /** So many turns; returns how many rows were written in each that wrote any. */
  turns(count: number): readonly number[] {
    const before = this.writes.length;
    for (let turn = 0; turn < count; turn += 1) this.keeper.tick();
    return this.writes.slice(before);
  }
}

/** A conversation in this block of a table of at least so many blocks. */
function inBlock(block: number, number = 0): Conversation {
  return { left: number, right: (block * BLOCK_SLOTS) / 8 + (number % (BLOCK_SLOTS / 8)) };
}

function stored(): { readonly blocks: readonly number[]; readonly conversations: number } {
  const rows = database
    .prepare<[], { block: number; entries: Buffer }>(
      "SELECT block, entries FROM conversations ORDER BY block",
    )
    .all();
  const conversations = rows.reduce((sum, { entries }) => sum + (unpackBlock(entries)?.length ?? 0), 0);
  return { blocks: rows.map(({ block }) => block), conversations };
}

/** Turns in which a table of 64 blocks is looked at once. */
const ROUND = 4;
const SIZE = 64 * BLOCK_SLOTS;

it("writes what has changed within one round, and nothing when nothing has", () => {
  const run = new Run(SIZE);
  expect(run.turns(2 * ROUND)).toEqual([]);
  run.table.keep(inBlock(3), 7);
  run.table.keep(inBlock(40), 8);
  expect(run.turns(ROUND)).toEqual([1, 1]);
  expect(stored()).toEqual({ blocks: [3, 40], conversations: 2 });
  expect(run.turns(10 * ROUND)).toEqual([]);
  const next = new Run(SIZE);
  expect([next.table.find(inBlock(3)), next.table.find(inBlock(40))]).toEqual([7, 8]);
  expect([next.table.find(inBlock(4)), next.turns(2 * ROUND)]).toEqual([NO_KEY, []]);
});

it("writes a block that goes on changing once a minute, and at the end", () => {
  const run = new Run(SIZE);
  for (let second = 0; second < 180; second += 1) {
    run.table.keep(inBlock(5, second), 7);
    run.turns(ROUND);
    run.nowS += 1;
  }
  expect(run.writes).toEqual([1, 1, 1]);
  expect(stored().conversations).toBe(121);
  run.keeper.flush();
  expect([run.writes.length, stored().conversations]).toEqual([4, 180]);
  run.keeper.flush();
  expect(run.writes.length).toBe(4);
});

it("does a bounded piece of work in each turn, however much there is", () => {
  const run = new Run(SIZE);
  for (let block = 0; block < 64; block += 1) run.table.keep(inBlock(block), 7);
  const writes = run.turns(3 * ROUND);
  expect([Math.max(...writes), writes.reduce((sum, rows) => sum + rows, 0)]).toEqual([8, 64]);

  // Far more rows than the start waits for.
  const blocks = 2_048;
  const huge = new Run(blocks * BLOCK_SLOTS);
  for (let block = 0; block < blocks; block += 1) huge.table.keep(inBlock(block), 8);
  huge.keeper.flush();
  const next = new Run(blocks * BLOCK_SLOTS, { isRestored: false });
  let steps = 0;
  for (const _step of next.keeper.restore()) {
    steps += 1;
    expect(next.reads).toBe(steps);
  }
  expect(steps).toBe(512);
  next.table.keep(inBlock(blocks - 1), 9);
  // What was not read yet is not written over at an early end.
  next.keeper.flush();
  expect(next.writes).toEqual([]);
  next.turns(1);
  expect(next.reads).toBe(steps + 16);
  next.turns(200);
  expect(next.table.find(inBlock(blocks - 2))).toBe(8);
  // What a worker knew before is newer than what was stored.
  expect(next.table.find(inBlock(blocks - 1))).toBe(9);
});

it("waits while the database takes nothing, says so once, and goes on from memory", () => {
  const run = new Run(SIZE);
  run.isFull = true;
  run.table.keep(inBlock(1), 7);
  for (let second = 0; second < 20; second += 1) {
    run.turns(ROUND);
    run.nowS += 1;
  }
  expect([run.writes, run.logged.length, run.table.find(inBlock(1))]).toEqual([[], 1, 7]);
  expect(run.logged[0]).toContain("SQLITE_FULL");
  run.isFull = false;
  expect(run.turns(ROUND)).toEqual([1]);
  expect(stored().conversations).toBe(1);
});

it("comes into another database with all that there is, copied or written again", () => {
  const run = new Run(SIZE);
  for (const block of [1, 2, 3]) run.table.keep(inBlock(block), 7);
  run.turns(ROUND);
  const other = memoryDatabase();
  copyTables(database, other, "keep");
  expect(other.prepare("SELECT count(*) FROM conversations").pluck().get()).toBe(3);
  other.close();
  database.exec("DELETE FROM conversations");
  run.keeper.forgetStored();
  expect(run.turns(ROUND)).toEqual([3]);
  expect(stored().blocks).toEqual([1, 2, 3]);
});

it("comes back into a table of another size as far as there is room, and into none at all", () => {
  const run = new Run(SIZE);
  for (let number = 0; number < 200; number += 1) run.table.keep(inBlock(number % 64, number), 7);
  run.keeper.flush();
  const { blocks, conversations } = stored();
  expect([blocks.length, conversations]).toEqual([64, 200]);
  const larger = new Run(4 * SIZE);
  larger.turns(40 * ROUND);
  expect(stored().conversations).toBe(200);
  const smaller = new Run(BLOCK_SLOTS);
  const found = Array.from({ length: 200 }, (_, number) => smaller.table.find(inBlock(number % 64, number)));
  expect(found.filter((keyId) => keyId === 7).length).toBeGreaterThan(100);
  smaller.turns(40 * ROUND);
  expect(stored().blocks).toEqual([0]);
  const off = new Run(0);
  off.turns(ROUND);
  expect(stored().blocks).toEqual([]);
});

it("leaves out what lived too long, whose project is gone and what is damaged, and then forgets it", () => {
  const run = new Run(SIZE);
  run.table.keep(inBlock(1, 1), 7);
  run.table.keep(inBlock(1, 2), GONE);
  run.table.keep(inBlock(1, 3), LEFT);
  run.table.keep(inBlock(2, 4), 7);
  run.turns(ROUND);
  run.nowS += CONVERSATION_KEPT_S / 2;
  run.table.keep(inBlock(1, 5), 7);
  run.turns(ROUND);
  expect(stored().conversations).toBe(5);
  database.prepare("UPDATE conversations SET entries = substr(entries, 1, 20) WHERE block = 2").run();
  const nowS = START_S + CONVERSATION_KEPT_S - 1;
  const next = new Run(SIZE, { nowS });
  const found = [1, 2, 3, 5].map((number) => next.table.find(inBlock(1, number)));
  expect([...found, next.table.find(inBlock(2, 4))]).toEqual([7, NO_KEY, STAND_IN, 7, NO_KEY]);
  expect(next.logged.join("")).toContain('"rows":1');
  next.turns(ROUND);
  expect(stored()).toEqual({ blocks: [1, 2], conversations: 3 });
  // To be found has not made them younger: nothing else is in their sets. Their time is over for the database.
  next.nowS += 60;
  next.turns(ROUND);
  expect(stored().conversations).toBe(1);
  const last = new Run(SIZE, { nowS: nowS + 60 });
  expect([1, 3, 5].map((number) => last.table.find(inBlock(1, number)))).toEqual([NO_KEY, NO_KEY, 7]);
});
