/**
 * A fast hash of bytes for telling things apart: conversations, tokens whose text must not be kept. 64 bits a seed,
 * well spread, the same on every machine and in every version. Pure. Not cryptographic: whoever can choose both inputs
 * can make two alike, which here only sends a request to a project that then refuses it.
 */

const WORD_MULTIPLIER = 0x9e_37_79_b1;
const LANE_MULTIPLIER = 0x85_eb_ca_77;
const LAST_MULTIPLIER = 0xc2_b2_ae_3d;

/** Spreads every bit of a lane over the whole of it. */
function avalanche(lane: number): number {
  let mixed = Math.imul(lane ^ (lane >>> 15), LANE_MULTIPLIER);
  mixed = Math.imul(mixed ^ (mixed >>> 13), LAST_MULTIPLIER);
  return mixed ^ (mixed >>> 16);
}

/** The two halves of a hash, 32 bits each. */
export interface Lanes {
  readonly left: number;
  readonly right: number;
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, "0");
}

/** A hash as 16 hexadecimal digits. */
export function hexOf({ left, right }: Lanes): string {
  return hex(left) + hex(right);
}

/** Hash of some text, by its UTF-16 units. */
export function hashText(text: string, seed: number): Lanes {
  let left = seed ^ Math.imul(text.length, WORD_MULTIPLIER);
  let right = ~seed;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    left = Math.imul(left ^ unit, WORD_MULTIPLIER);
    right = Math.imul(right + left, LANE_MULTIPLIER) ^ unit;
  }
  return finished(left, right);
}

/** Hash of two hashes, in this order. */
export function hashBoth(one: Lanes, other: Lanes): Lanes {
  const left = Math.imul(one.left ^ ((other.left << 13) | (other.left >>> 19)), WORD_MULTIPLIER);
  const right = Math.imul(one.right ^ ((other.right << 17) | (other.right >>> 15)), LANE_MULTIPLIER);
  return finished(left + other.right, right + other.left);
}

function finished(left: number, right: number): Lanes {
  const first = avalanche(left ^ (right >>> 7) ^ Math.imul(right, WORD_MULTIPLIER));
  return { left: first, right: avalanche(right ^ Math.imul(first, LAST_MULTIPLIER)) };
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/**
 * Hash of `bytes[start..end)`. Two lanes take four bytes each a step, side by side, and are mixed at the end.
 * @param seed another seed gives another, independent hash.
 */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): Lanes {
  const length = end - start;
  let left = seed ^ Math.imul(length, WORD_MULTIPLIER);
  let right = ~seed ^ Math.imul(length, LAST_MULTIPLIER);
  let at = start;
  for (const stepsEnd = start + (length & ~7); at < stepsEnd; at += 8) {
    left = Math.imul(left ^ wordAt(bytes, at), WORD_MULTIPLIER);
    left = (left << 13) | (left >>> 19);
    right = Math.imul(right ^ wordAt(bytes, at + 4), LANE_MULTIPLIER);
    right = (right << 17) | (right >>> 15);
  }
  for (; at < end; at += 1) {
    left = Math.imul(left ^ (bytes[at] as number), WORD_MULTIPLIER);
    right = Math.imul(right + left, LANE_MULTIPLIER) ^ (bytes[at] as number);
  }
  return finished(left, right);
}
