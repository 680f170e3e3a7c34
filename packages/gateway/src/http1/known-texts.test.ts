import fc from "fast-check";
import { expect, test } from "vitest";
import { KnownTexts } from "./known-texts.ts";

const octets = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  // Of few letters, so that many are of one place and look alike.
  fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 }).map((text) => Buffer.from(text)),
);

test("whatever was read before, a text is that of its octets", () => {
  fc.assert(
    fc.property(fc.array(octets, { maxLength: 40 }), (pieces) => {
      const texts = new KnownTexts();
      for (const piece of [...pieces, ...pieces]) {
        const bytes = Buffer.concat([Buffer.from("<"), piece, Buffer.from(">")]);
        expect(texts.read(bytes, 1, bytes.length - 1)).toBe(Buffer.from(piece).toString("latin1"));
      }
    }),
  );
});
