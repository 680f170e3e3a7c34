import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fingerprint, freeFingerprint, isFingerprintOf } from "./fingerprint.ts";

test("a fingerprint is k- and base32 of SHA-256", () => {
  // Taken from sha256sum and base32; pinned, because operators keep fingerprints in their notes.
  expect(fingerprint("test-key-1")).toBe("k-cjkvldpvq2xc");
  expect(fingerprint("test-key-1", 51)).toMatch(/^k-[a-z2-7]{51}$/);
});

test("a longer fingerprint begins with the shorter one, and both are recognised", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 8 }), fc.integer({ min: 12, max: 51 }), (secret, characters) => {
      const long = fingerprint(secret, characters);
      expect(long).toHaveLength(characters + 2);
      expect(long.startsWith(fingerprint(secret))).toBe(true);
      expect(isFingerprintOf(long, secret)).toBe(true);
      expect(isFingerprintOf(long, `${secret}!`)).toBe(false);
    }),
  );
});

test("a taken fingerprint is lengthened until it is free", () => {
  const short = fingerprint("test-key-1");
  expect(freeFingerprint("test-key-1", () => false)).toBe(short);
  expect(freeFingerprint("test-key-1", (candidate) => candidate.length < 20)).toBe(
    fingerprint("test-key-1", 20),
  );
  expect(freeFingerprint("test-key-1", () => true)).toBe(fingerprint("test-key-1", 51));
});
