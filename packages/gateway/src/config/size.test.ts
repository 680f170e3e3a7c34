import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatSize, parseSize, SIZE_PATTERN } from "./size.ts";

test.each([
  ["64KB", 65_536],
  ["64 KB", undefined],
  ["64kib", 65_536],
  ["100MB", 104_857_600],
  ["1.5M", 1_572_864],
  ["2GB", 2_147_483_648],
  ["1024", 1_024],
  ["12B", 12],
  [4096, 4_096],
  ["", undefined],
  ["-1", undefined],
  ["1TB", undefined],
  ["MB", undefined],
  [Number.POSITIVE_INFINITY, undefined],
  [true, undefined],
  [null, undefined],
])("%j is %j bytes", (raw, bytes) => {
  expect(parseSize(raw)).toBe(bytes);
});

test("every whole number of bytes is written so that it is read back, in the form the JSON Schema knows", () => {
  const form = new RegExp(SIZE_PATTERN);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 }), (bytes) => {
      expect(parseSize(formatSize(bytes))).toBe(bytes);
      expect(formatSize(bytes)).toMatch(form);
    }),
  );
});
