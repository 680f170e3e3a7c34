import fc from "fast-check";
import { expect, test } from "vitest";
import { BLOCK_SLOTS, packBlock, type StoredConversation, unpackBlock } from "./conversation-block.ts";

const number32 = fc.nat(0xff_ff_ff_ff);
const conversation: fc.Arbitrary<StoredConversation> = fc.record({
  left: number32,
  right: number32,
  keyId: number32,
  heard: number32,
  heardAtS: number32,
});
const conversations = fc.array(conversation, { maxLength: 40 });

test("what is packed comes out as it was", () => {
  fc.assert(
    fc.property(conversations, (packed) => {
      expect(unpackBlock(packBlock(packed))).toEqual(packed);
    }),
  );
  const full = Array.from({ length: BLOCK_SLOTS }, (_, index): StoredConversation => {
    return { left: index, right: 1, keyId: 2, heard: 3, heardAtS: 4 };
  });
  expect(unpackBlock(packBlock(full))).toEqual(full);
});

test("what is damaged, cut short or too long is nothing", () => {
  fc.assert(
    fc.property(conversations, fc.nat(), fc.integer({ min: 1, max: 255 }), (packed, where, change) => {
      const bytes = packBlock(packed);
      const at = where % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ change;
      expect(unpackBlock(bytes)).toBeUndefined();
      bytes[at] = (bytes[at] ?? 0) ^ change;
      expect(unpackBlock(bytes)).toEqual(packed);
      expect(unpackBlock(bytes.subarray(0, at))).toBeUndefined();
    }),
  );
  const one = { left: 1, right: 1, keyId: 1, heard: 1, heardAtS: 1 };
  expect(unpackBlock(packBlock(Array.from({ length: BLOCK_SLOTS + 1 }, () => one)))).toBeUndefined();
  // Zeros have the check sum of nothing only where there is nothing.
  expect(unpackBlock(Buffer.alloc(4 + 20))).toBeUndefined();
  expect(unpackBlock(Buffer.alloc(4))).toEqual([]);
});
