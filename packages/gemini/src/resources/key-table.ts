/**
 * Finds the keys that matter among the bytes of a body without making strings of them. Pure.
 * Open addressing over a hash that the scanner computes while it looks for the end of the key.
 */
import { KEY, KEY_BY_SPELLING } from "./reference-keys.ts";

/** Four times the number of spellings, so that a key that does not matter mostly meets an empty slot. */
const SLOTS = 256;
const HASH_FACTOR = 31;

/** Folds one more byte of a key into its hash. */
export function keyHash(hash: number, byte: number): number {
  return (Math.imul(hash, HASH_FACTOR) + byte) | 0;
}

interface Entry {
  readonly hash: number;
  readonly bytes: Uint8Array;
  readonly id: number;
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 9)) & (SLOTS - 1);
}

function buildTable(): readonly (Entry | undefined)[] {
  const table = Array.from<Entry | undefined>({ length: SLOTS }).fill(undefined);
  for (const [spelling, id] of KEY_BY_SPELLING) {
    const bytes = Buffer.from(spelling);
    const hash = bytes.reduce(keyHash, 0);
    let slot = slotOf(hash);
    while (table[slot] !== undefined) slot = (slot + 1) % SLOTS;
    table[slot] = { hash, bytes, id };
  }
  return table;
}

const TABLE = buildTable();
/** The hashes of the table apart, 0 for an empty slot: all that a key that does not matter is held against. */
const HASHES = Int32Array.from(TABLE, (entry) => entry?.hash ?? 0);

/** Whether `bytes[start..end)` are just those expected. Faster than Buffer's own for the few bytes of a name. */
export function isSame(expected: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== expected.length) return false;
  for (let index = 0; index < expected.length; index += 1) {
    if (bytes[start + index] !== expected[index]) return false;
  }
  return true;
}

/** What the key `bytes[start..end)`, without escapes, means; {@link KEY}.none for most. */
export function keyAt(hash: number, bytes: Uint8Array, start: number, end: number): number {
  let slot = slotOf(hash);
  for (let known = HASHES[slot]; known !== 0; known = HASHES[slot]) {
    const entry = known === hash ? TABLE[slot] : undefined;
    if (entry !== undefined && isSame(entry.bytes, bytes, start, end)) return entry.id;
    slot = (slot + 1) % SLOTS;
  }
  return KEY.none;
}
