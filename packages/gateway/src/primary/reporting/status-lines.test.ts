import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IDLE_REPORT, NO_TRAFFIC } from "../../../test/harness/idle-report.ts";
import type { ModelStatus, RunningStatus } from "../../control/types.ts";
import { statusLines, trimToSize } from "./status-lines.ts";

const NOW_MS = Date.UTC(2026, 10, 23, 16, 30, 5);

const RECENT = { ...NO_TRAFFIC, requests: 120, successRate: 0.975, attempts: 125, retries: 5 };
const FLASH: ModelStatus = {
  model: "gemini-2.5-flash",
  ready: 5,
  resting: 2,
  keys: {},
  inFlight: 0,
  recent: RECENT,
};
const REPORT: RunningStatus = {
  ...IDLE_REPORT,
  keys: { total: 7, byState: {} },
  models: [FLASH, { model: "gemini-2.5-pro", ready: 0, resting: 7, keys: {}, inFlight: 0 }],
  recent: RECENT,
};

describe("a report", () => {
  test("has a header with the time, and a line for each model", () => {
    expect(statusLines(REPORT, NOW_MS)).toBe(
      [
        "=== 2026-11-23 16:30:05 UTC ===",
        "gemini-2.5-flash: available keys 5, unavailable keys 2, requests in the last 30 minutes 120",
        "gemini-2.5-pro: available keys 0, unavailable keys 7, requests in the last 30 minutes 0",
        "all models: keys 7, requests in the last 30 minutes 120, served 97.5%, retries 5",
        "",
        "",
      ].join("\n"),
    );
  });

  test("says so when the database cannot be written", () => {
    const database = { state: "failing" as const, pendingRows: 9, lostRows: 0 };
    expect(statusLines({ ...REPORT, database }, NOW_MS)).toContain(
      "the database cannot be written, 9 rows wait\n",
    );
  });

  test("a model's name cannot make a line of its own", () => {
    const models = [{ ...FLASH, model: "a\n=== b" }];
    expect(statusLines({ ...REPORT, models }, NOW_MS).match(/^===/gm)).toHaveLength(1);
  });
});

describe("the file", () => {
  const reports = fc
    .array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 20 })
    .map((sizes) => sizes.map((lines, index) => `=== report ${index} ===\n${"model: 1\n".repeat(lines)}\n`));

  test("keeps as many of the newest whole reports as fit", () => {
    fc.assert(
      fc.property(reports, fc.integer({ min: 100, max: 1_000 }), (texts, bytesMax) => {
        const kept = trimToSize(Buffer.from(texts.join("")), bytesMax).toString();
        const first = texts.findIndex((_, index) => texts.slice(index).join("").length <= bytesMax);
        expect(kept).toBe(texts.slice(first).join(""));
      }),
    );
  });

  test("a report larger than the file keeps its first whole lines", () => {
    const text = `=== old ===\n\n=== new ===\n${"model: 1\n".repeat(50)}\n`;
    expect(trimToSize(Buffer.from(text), 40).toString()).toBe("=== new ===\nmodel: 1\nmodel: 1\nmodel: 1\n");
  });
});
