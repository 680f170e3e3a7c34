import { expect, test } from "vitest";
import type { KeyListRow } from "../control/types.ts";
import { addReportText, keyTable, removeReportText } from "./print-keys.ts";

const NOW_MS = 1_700_000_000_000;

const RESTING: KeyListRow = {
  fingerprint: "k-abcdefghij23",
  project: "blue",
  projectSource: "label",
  state: "resting",
  reason: "quota of the minute",
  sinceMs: NOW_MS - 30_000,
  retryAtMs: NOW_MS + 90_000,
  file: "team.txt",
  inFlight: 2,
  enabled: true,
};

test("a key is told in one line", () => {
  const [head, line] = keyTable([RESTING], NOW_MS).split("\n");
  expect(head?.split(/ {2,}/)).toEqual([
    "FINGERPRINT",
    "PROJECT",
    "STATE",
    "SINCE",
    "BACK",
    "LENT",
    "FILE",
    "REASON",
  ]);
  expect(line?.split(/ {2,}/)).toEqual([
    "k-abcdefghij23",
    "blue",
    "resting",
    "30s ago",
    "in 1m",
    "2",
    "team.txt",
    "quota of the minute",
  ]);
});

test("what is not known of a key is a dash", () => {
  const { retryAtMs: _retryAtMs, inFlight: _inFlight, ...rest } = RESTING;
  const row = { ...rest, project: null, reason: null, sinceMs: null, file: null };
  expect(keyTable([row], NOW_MS)).toMatch(/k-abcdefghij23 +- +resting +- +- +- +- +-$/);
});

test("without a key it is said how to add one", () => {
  expect(keyTable([], NOW_MS)).toContain("gemini-gateway keys add");
});

test("the report of an addition lists a bounded number of lines", () => {
  const added = Array.from({ length: 60 }, (_, index) => `k-${index}`);
  const refused = [{ line: 3, reason: "the placeholder YOUR_API_KEY, not a key" }];
  const text = addReportText({ file: "added.txt", added, alreadyThere: 1, refused, refusedCount: 5 });
  expect(text).toMatch(/^60 keys added to added\.txt\.\n1 key stood in a key file already\.\n {2}k-0\n/);
  expect(text).toContain(
    "\n  and 10 more\n5 words refused:\n  line 3: the placeholder YOUR_API_KEY, not a key\n  and 4 more",
  );
});

test("the report of a removal tells what could not be done", () => {
  const failed = [{ file: "fixed.txt", problem: "fixed.txt is read-only." }];
  const text = removeReportText({ removed: ["k-a"], unknown: ["k-b"], files: ["added.txt"], failed });
  expect(text).toBe(
    "1 key removed from added.txt.\nNo key file has k-b.\nfixed.txt could not be changed: fixed.txt is read-only.",
  );
});
