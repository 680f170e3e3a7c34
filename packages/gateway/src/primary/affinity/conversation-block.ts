/**
 * What one row of the database says of many conversations: their hashes, their keys and when they were heard of, never
 * what was said. Pure. A row that is not whole is told apart by its check sum; SQLite does not look into rows.
 */
import { crc32 } from "node:zlib";
import type { KeptConversation } from "../../affinity/conversation-table.ts";

/** Conversations of one row. */
export const BLOCK_SLOTS = 512;

/** A conversation as it is stored; all numbers are of 32 bits. */
export interface StoredConversation extends KeptConversation {
  /** When it was seen to be heard of, seconds since the epoch. */
  readonly heardAtS: number;
}

/** The check sum at the beginning. */
const SUM_BYTES = 4;
const FIELDS = 5;
const ENTRY_BYTES = FIELDS * Uint32Array.BYTES_PER_ELEMENT;

/** @param conversations at most {@link BLOCK_SLOTS} */
export function packBlock(conversations: readonly StoredConversation[]): Buffer {
  const fields = new Uint32Array(conversations.length * FIELDS);
  let at = 0;
  for (const { left, right, keyId, heard, heardAtS } of conversations) {
    fields[at] = left;
    fields[at + 1] = right;
    fields[at + 2] = keyId;
    fields[at + 3] = heard;
    fields[at + 4] = heardAtS;
    at += FIELDS;
  }
  const packed = Buffer.alloc(SUM_BYTES + fields.byteLength);
  packed.set(new Uint8Array(fields.buffer), SUM_BYTES);
  packed.writeUInt32LE(crc32(packed.subarray(SUM_BYTES)), 0);
  return packed;
}

/** What was packed; undefined when these are not the bytes that packing made. */
export function unpackBlock(packed: Buffer): StoredConversation[] | undefined {
  const count = (packed.length - SUM_BYTES) / ENTRY_BYTES;
  if (!Number.isInteger(count) || count < 0 || count > BLOCK_SLOTS) return undefined;
  if (packed.readUInt32LE(0) !== crc32(packed.subarray(SUM_BYTES))) return undefined;
  const fields = new Uint32Array(count * FIELDS);
  new Uint8Array(fields.buffer).set(packed.subarray(SUM_BYTES));
  const conversations: StoredConversation[] = [];
  for (let at = 0; at < fields.length; at += FIELDS) {
    conversations.push({
      left: fields[at] ?? 0,
      right: fields[at + 1] ?? 0,
      keyId: fields[at + 2] ?? 0,
      heard: fields[at + 3] ?? 0,
      heardAtS: fields[at + 4] ?? 0,
    });
  }
  return conversations;
}
