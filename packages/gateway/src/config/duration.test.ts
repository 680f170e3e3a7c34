import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";

test.each([
  ["500ms", 500],
  ["30s", 30_000],
  ["5m", 300_000],
  ["12h", 43_200_000],
  ["7d", 604_800_000],
  ["1.5h", 5_400_000],
  [" 2s ", 2_000],
  ["30", 30_000],
  [30, 30_000],
  [0.25, 250],
  [0, 0],
])("%j is %d ms", (raw, durationMs) => {
  expect(parseDuration(raw)).toBe(durationMs);
});

test.each([
  "",
  "s",
  "-1s",
  "1 week",
  "1S",
  "5M",
  "1e3",
  "0x10",
  Number.NaN,
  Infinity,
  -1,
  true,
  null,
  undefined,
  ["1s"],
  {},
])("%j is no duration", (raw) => {
  expect(parseDuration(raw)).toBeUndefined();
});

test("every whole number of milliseconds is written so that it is read back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 * 365 * 86_400_000 }), (durationMs) => {
      expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
    }),
  );
});

test("the shortest exact unit is chosen", () => {
  expect([0, 1, 1_500, 90_000, 120_000, 86_400_000].map(formatDuration)).toEqual([
    "0s",
    "1ms",
    "1500ms",
    "90s",
    "2m",
    "1d",
  ]);
});
