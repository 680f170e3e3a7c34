import { expect, test } from "vitest";
import type { LoggedRequest } from "../primary/store/request-log-reader.ts";
import { requestHead, requestJson, requestLine } from "./print-requests.ts";

const ROW: LoggedRequest = {
  id: 7,
  atMs: Date.UTC(2026, 10, 23, 16, 30, 0),
  requestId: "abc-1",
  method: "POST",
  path: "/v1beta/models/gemini-2.5-flash:generateContent",
  model: "gemini-2.5-flash",
  status: 200,
  outcome: "served",
  reason: null,
  attempts: 2,
  firstByteMs: 310,
  durationMs: 1_200,
  bytesIn: 10,
  bytesOut: 20,
  promptTokens: 12,
  outputTokens: 345,
  totalTokens: 357,
  fingerprint: "k-abcdefghij23",
  client: "alice",
  address: "127.0.0.1",
};

test("a request is one line under the titles, with the time it ended", () => {
  expect([requestHead(), requestLine(ROW)]).toEqual([
    "TIME (UTC)           STATUS  OUTCOME             MODEL                     KEY             TRIES  FIRST    TOTAL    TOKENS         CLIENT",
    "2026-11-23 16:30:01  200     served              gemini-2.5-flash          k-abcdefghij23  2      310ms    1.2s     12+345         alice",
  ]);
});

test("what a request lacks is a dash", () => {
  const bare = {
    model: null,
    fingerprint: null,
    firstByteMs: null,
    promptTokens: 0,
    outputTokens: 0,
    client: null,
  };
  expect(requestLine({ ...ROW, ...bare }).match(/ -(?= |$)/g)).toHaveLength(5);
});

test("what came from outside cannot move the cursor or break the line", () => {
  expect(requestLine({ ...ROW, model: "\u001B[2J\n" })).not.toMatch(/\p{Cc}/u);
});

test("JSON has the names of the log's own line", () => {
  expect(JSON.parse(requestJson(ROW))).toMatchObject({
    time: "2026-11-23T16:30:01.200Z",
    key: "k-abcdefghij23",
    requestId: "abc-1",
    durationMs: 1_200,
    address: "127.0.0.1",
  });
});
