import { expect, it } from "vitest";
import { requestSentence } from "./request-sentence.ts";

const LINE = {
  msg: "request",
  method: "POST",
  path: "/v1beta/models/m:generateContent",
  status: 200,
  outcome: "served",
  reason: "",
  attempts: 2,
  durationMs: 12,
  firstByteMs: 9,
  totalTokens: 13,
  key: "k-abc",
  client: "anonymous",
};

it("tells a request in one line", () => {
  expect(requestSentence(LINE)).toBe(
    "POST /v1beta/models/m:generateContent 200 served in 12 ms (first byte 9 ms), 2 attempts, 13 tokens, key k-abc, anonymous",
  );
});

it("leaves out what there was not, and says why a request failed", () => {
  const failed = {
    ...LINE,
    status: 503,
    outcome: "network",
    reason: "ECONNREFUSED",
    attempts: 1,
    firstByteMs: -1,
    totalTokens: 0,
  };
  expect(requestSentence(failed)).toBe(
    "POST /v1beta/models/m:generateContent 503 network (ECONNREFUSED) in 12 ms, key k-abc, anonymous",
  );
});

it("is not for other messages", () => {
  expect(requestSentence({ msg: "listening", port: 1 })).toBeUndefined();
});
