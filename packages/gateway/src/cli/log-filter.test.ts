import { expect, test } from "vitest";
import { ConfigError } from "../config/config-error.ts";
import { readLogQuestion } from "./log-filter.ts";

const NOW_MS = 1_700_000_000_000;

test("without flags everything is asked for, a hundred rows of it", () => {
  expect(readLogQuestion({}, NOW_MS)).toEqual({ filter: {}, limit: 100 });
});

test.each([
  [{ status: "404" }, { status: [404, 404] }],
  [{ status: "5xx" }, { status: [500, 599] }],
  [{ status: "2XX" }, { status: [200, 299] }],
  [{ since: "1h" }, { sinceMs: NOW_MS - 3_600_000 }],
  [{ since: "90" }, { sinceMs: NOW_MS - 90_000 }],
  [{ outcome: "quota-day" }, { outcome: "quota-day" }],
  [{ key: "k-abcdefghij23" }, { fingerprint: "k-abcdefghij23" }],
  [
    { client: "alice", model: "gemini-2.5-pro" },
    { client: "alice", model: "gemini-2.5-pro" },
  ],
])("%j is understood", (argv, filter) => {
  expect(readLogQuestion(argv, NOW_MS).filter).toEqual(filter);
});

test.each([
  [{ status: "6xx" }, "--status must be a status such as 404, or a class such as 5xx"],
  [{ status: "4x" }, "--status must be a status such as 404, or a class such as 5xx"],
  [{ since: "yesterday" }, "--since must be a time such as 90s, 30m, 12h or 7d"],
  [{ outcome: "quota-days" }, "--outcome is not one that requests end with; did you mean quota-day?"],
  [{ limit: "0" }, "--limit must be a whole number from 1 to 100000"],
  [{ limit: "1e3" }, "--limit must be a whole number from 1 to 100000"],
  [{ model: ["a", "b"] }, "--model must be given once, with a value of at most 200 characters"],
  [{ client: "" }, "--client must be given once, with a value of at most 200 characters"],
])("%j is refused in one sentence", (argv, sentence) => {
  expect(() => readLogQuestion(argv, NOW_MS)).toThrow(new ConfigError(sentence));
});

test("what may be a key is not repeated", () => {
  expect(() => readLogQuestion({ key: "test-key-1" }, NOW_MS)).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining("test-key-1") as string }) as Error,
  );
});
