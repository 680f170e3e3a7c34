/**
 * The public name of a key: what logs, lists and the attempt trail show in its place.
 * Pure. Must never reveal any part of the key: it is cut from a SHA-256 digest.
 */
import { hash } from "node:crypto";

/** Lower-case base32 (RFC 4648): easy to read aloud, no character needs quoting in a shell. */
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const BITS_PER_CHARACTER = 5;

/** 60 bits: among 100,000 keys the chance of any two sharing one is about 4 in a billion. */
export const FINGERPRINT_CHARACTERS = 12;
/** A whole digest, beyond which there is nothing to lengthen with. */
export const FINGERPRINT_CHARACTERS_MAX = 51;

/** `k-` and the first `characters` (12 to 51) characters of the key's digest. */
export function fingerprint(secret: string, characters: number = FINGERPRINT_CHARACTERS): string {
  const digest = hash("sha256", secret, "buffer");
  let text = "k-";
  let bits = 0;
  let bitCount = 0;
  for (const byte of digest) {
    bits = ((bits << 8) | byte) & 0xffff;
    bitCount += 8;
    while (bitCount >= BITS_PER_CHARACTER) {
      bitCount -= BITS_PER_CHARACTER;
      text += ALPHABET[(bits >>> bitCount) & 31];
      if (text.length === characters + 2) return text;
    }
  }
  return text;
}

/** The shortest fingerprint of this key that `isTaken` by no other key. */
export function freeFingerprint(secret: string, isTaken: (candidate: string) => boolean): string {
  for (let characters = FINGERPRINT_CHARACTERS; characters < FINGERPRINT_CHARACTERS_MAX; characters += 4) {
    const candidate = fingerprint(secret, characters);
    if (!isTaken(candidate)) return candidate;
  }
  return fingerprint(secret, FINGERPRINT_CHARACTERS_MAX);
}

/** True when `name` is a fingerprint of this key, of whatever length. */
export function isFingerprintOf(name: string, secret: string): boolean {
  const characters = name.length - 2;
  return characters >= FINGERPRINT_CHARACTERS && fingerprint(secret, characters) === name;
}
