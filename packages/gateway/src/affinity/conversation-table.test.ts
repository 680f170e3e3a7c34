import fc from "fast-check";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import {
  allocateConversations,
  type Conversation,
  CONVERSATION_BYTES,
  ConversationTable,
  type KeptConversation,
  NO_KEY,
  NO_SLOT,
} from "./conversation-table.ts";

/** A well spread number for each conversation. */
function numbered(index: number): Conversation {
  const half = (seed: number): number => {
    let hash = Math.imul(index + 1, seed);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
    return hash ^ (hash >>> 13);
  };
  return { left: half(0x9e_37_79_b1), right: half(0xc2_b2_ae_35) };
}

/** Conversations that all stand in one set. */
function inOneSet(index: number): Conversation {
  return { left: index, right: 0 };
}

test("a conversation is found under the key that served it last, by every view of the memory", () => {
  const memory = allocateConversations(1_024);
  const [one, other] = [new ConversationTable(memory), new ConversationTable(memory)];
  expect(other.find(numbered(1))).toBe(NO_KEY);
  one.keep(numbered(1), 7);
  one.keep(numbered(2), 8);
  expect([other.find(numbered(1)), other.find(numbered(2)), other.find(numbered(3))]).toEqual([7, 8, NO_KEY]);
  other.keep(numbered(1), 4_000_000_000);
  expect(one.find(numbered(1))).toBe(4_000_000_000);
});

test("in a full set the one heard of longest ago gives way", () => {
  const table = new ConversationTable(allocateConversations(64));
  for (let index = 1; index <= 8; index += 1) table.keep(inOneSet(index), index);
  expect(table.find(inOneSet(1))).toBe(1);
  table.keep(inOneSet(9), 9);
  const found = Array.from({ length: 9 }, (_, index) => table.find(inOneSet(index + 1)));
  expect(found).toEqual([1, NO_KEY, 3, 4, 5, 6, 7, 8, 9]);
});

test("no number of conversations needs more memory, and one that goes on is kept", () => {
  const memory = allocateConversations(4_096);
  const table = new ConversationTable(memory);
  expect(memory.byteLength).toBe(4_096 * CONVERSATION_BYTES);
  table.keep(numbered(0), 7);
  let kept = 0;
  for (let index = 1; index <= 200_000; index += 1) {
    table.keep(numbered(index), index);
    if (index % 500 === 0 && table.find(numbered(0)) === 7) kept += 1;
  }
  expect(kept).toBe(400);
  const recent = Array.from({ length: 1_000 }, (_, index) => table.find(numbered(200_000 - index)));
  expect(recent.filter((key) => key !== NO_KEY).length).toBeGreaterThan(900);
});

test("a set whose numbers are used up begins anew", () => {
  const memory = allocateConversations(8);
  const table = new ConversationTable(memory);
  table.keep(inOneSet(1), 1);
  new Uint32Array(memory).fill(0xff_ff_ff_ff);
  table.keep(inOneSet(2), 2);
  table.keep(inOneSet(3), 3);
  expect([table.find(inOneSet(2)), table.find(inOneSet(3))]).toEqual([2, 3]);
});

test("switched off it keeps nothing and needs no memory", () => {
  const memory = allocateConversations(0);
  const table = new ConversationTable(memory);
  table.keep(numbered(1), 7);
  expect([table.isOn, table.find(numbered(1)), memory.byteLength]).toEqual([false, NO_KEY, 0]);
  expect(new ConversationTable(allocateConversations(1)).isOn).toBe(true);
});

/** All that the table holds. */
function heldIn(table: ConversationTable): readonly KeptConversation[] {
  return Array.from({ length: table.slots }, (_, slot) => table.at(slot)).filter(
    (kept) => kept !== undefined,
  );
}

/** Whether each turn keeps or only finds, of which of so many conversations, under which key. */
const turns = fc.array(
  fc.record({ isKept: fc.boolean(), index: fc.nat(40), keyId: fc.integer({ min: 1, max: 0xff_ff_ff_ff }) }),
  { maxLength: 200 },
);

function take(
  table: ConversationTable,
  { isKept, index, keyId }: { isKept: boolean; index: number; keyId: number },
) {
  if (isKept) table.keep(numbered(index), keyId);
  return table.find(numbered(index));
}

test("what is put back into another table is found there, and goes on as it would have gone on here", () => {
  fc.assert(
    fc.property(turns, turns, (before, after) => {
      const [table, other] = [32, 32].map((size) => new ConversationTable(allocateConversations(size))) as [
        ConversationTable,
        ConversationTable,
      ];
      for (const turn of before) take(table, turn);
      for (const kept of heldIn(table).toReversed()) expect(other.putBack(kept)).not.toBe(NO_SLOT);
      expect(new Set(heldIn(other))).toEqual(new Set(heldIn(table)));
      for (const turn of after) expect(take(other, turn)).toBe(take(table, turn));
    }),
  );
});

test("what is there already stays, and what has no room is left out", () => {
  const table = new ConversationTable(allocateConversations(8));
  table.keep(inOneSet(1), 7);
  const back = (index: number): number =>
    table.putBack({ left: index, right: 0, keyId: 100 + index, heard: 5 });
  expect(back(1)).toBe(NO_SLOT);
  expect(Array.from({ length: 8 }, (_, index) => back(index + 2) === NO_SLOT)).toEqual([
    ...Array.from({ length: 7 }, () => false),
    true,
  ]);
  expect([table.find(inOneSet(1)), table.find(inOneSet(8)), table.find(inOneSet(9))]).toEqual([
    7,
    108,
    NO_KEY,
  ]);
  const off = new ConversationTable(allocateConversations(0));
  expect([off.slots, off.putBack({ left: 1, right: 1, keyId: 1, heard: 1 })]).toEqual([0, NO_SLOT]);
});

test("a slot has another mark whenever it says something else, and only then", () => {
  const table = new ConversationTable(allocateConversations(8));
  const seen = new Set([table.markAt(0)]);
  expect(table.markAt(0)).toBe(0);
  table.keep(inOneSet(3), 7);
  seen.add(table.markAt(0));
  table.find(inOneSet(3));
  seen.add(table.markAt(0));
  table.keep(inOneSet(3), 8);
  seen.add(table.markAt(0));
  table.keep(inOneSet(4), 8);
  table.find(inOneSet(3));
  seen.add(table.markAt(0));
  expect(seen.size).toBe(4);
  expect(table.at(0)).toMatchObject({ left: 3, right: 0, keyId: 8 });
  expect(table.at(2)).toBeUndefined();
});

/** Keeps every conversation of two sets again and again, under a key that names it, and checks what it finds. */
const HAMMER = `
  const { workerData, parentPort } = require("node:worker_threads");
  const { memory, source, rounds, seed } = workerData;
  import(source).then(({ ConversationTable }) => {
    const table = new ConversationTable(memory);
    let found = 0;
    let wrong = 0;
    let random = seed;
    for (let round = 0; round < rounds; round += 1) {
      random = (Math.imul(random, 1103515245) + 12345) >>> 0;
      const index = (random >>> 8) % 24;
      const conversation = { left: index, right: index % 2 };
      if (random & 0x80) table.keep(conversation, 1000 + index);
      const key = table.find(conversation);
      if (key !== 0) found += 1;
      if (key !== 0 && key !== 1000 + index) wrong += 1;
    }
    parentPort.postMessage({ found, wrong });
  });
`;

test("threads that write the same slots at once never find one conversation under another's key", async () => {
  const memory = allocateConversations(16);
  const source = new URL("conversation-table.ts", import.meta.url).href;
  const threads = [1, 2, 3, 4].map(
    (seed) => new Worker(HAMMER, { eval: true, workerData: { memory, source, rounds: 300_000, seed } }),
  );
  const results = await Promise.all(
    threads.map(async (thread) => {
      const [result] = (await once(thread, "message")) as [{ found: number; wrong: number }];
      await thread.terminate();
      return result;
    }),
  );
  expect(results.map(({ wrong }) => wrong)).toEqual([0, 0, 0, 0]);
  for (const { found } of results) expect(found).toBeGreaterThan(10_000);
});
