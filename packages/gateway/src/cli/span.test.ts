import { expect, test } from "vitest";
import { formatAgo, formatSpan, formatUntil } from "./span.ts";

const NOW_MS = 1_700_000_000_000;

test.each([
  [-5, "0s"],
  [0, "0s"],
  [59_999, "59s"],
  [60_000, "1m"],
  [3_599_999, "59m"],
  [3_600_000, "1h"],
  [11_100_000, "3h 5m"],
  [86_400_000, "1d"],
  [187_200_000, "2d 4h"],
])("%d ms are %s", (spanMs, text) => {
  expect(formatSpan(spanMs)).toBe(text);
});

test("moments are told from now", () => {
  expect(formatAgo(NOW_MS - 120_000, NOW_MS)).toBe("2m ago");
  expect(formatAgo(null, NOW_MS)).toBe("-");
  expect(formatUntil(NOW_MS + 45_000, NOW_MS)).toBe("in 45s");
  expect(formatUntil(NOW_MS, NOW_MS)).toBe("now");
  expect(formatUntil(undefined, NOW_MS)).toBe("-");
});
