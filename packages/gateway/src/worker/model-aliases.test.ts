import { readBody } from "@gemini-gateway/gemini/resources/read-body";
import { expect, it } from "vitest";
import { allocateCounters, SharedCounters } from "../shared-counters.ts";
import { withoutAliases } from "./model-aliases.ts";
import { RequestBody } from "./request-body.ts";

const ALIASES = new Map([["gpt", "gemini-3.8-flash"]]);
const CHAT = "/v1beta/openai/chat/completions";

/** A body that came in pieces of this length. */
function bodyOf(text: string, pieceBytes = 7): RequestBody {
  const limits = { bodyBytes: 1_000_000, bodyMemoryBytes: 1_000_000 };
  const body = new RequestBody(new SharedCounters(allocateCounters(1), 0), limits, { bodyRead: () => {} });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) body.bodyChunk(bytes.subarray(at, at + pieceBytes));
  body.bodyEnded();
  return body;
}

function sent(text: string, target: string): readonly [text: string, model: string | undefined] {
  const body = bodyOf(text);
  const reading = withoutAliases(ALIASES, target, body, readBody(Buffer.from(text)));
  const whole = Buffer.concat(body.toSend()).toString();
  expect(body.bytesToSend).toBe(Buffer.byteLength(whole));
  expect([body.bytes, body.whole().toString()]).toEqual([Buffer.byteLength(text), whole]);
  return [whole, reading?.model];
}

it("puts the model in the body and in what was read of it", () => {
  expect(sent('{"model":"gpt","messages":[]}', CHAT)).toEqual([
    '{"model":"gemini-3.8-flash","messages":[]}',
    "gemini-3.8-flash",
  ]);
  expect(sent('{"model":"x","model":"gpt"}', CHAT)[0]).toBe('{"model":"x","model":"gemini-3.8-flash"}');
});

it("looks into wrapped requests where the target names an alias, and only there", () => {
  const body = '{"requests":[{"model":"models/gpt"}]}';
  expect(sent(body, "/v1beta/models/gpt:batchEmbedContents")[0]).toBe(
    '{"requests":[{"model":"models/gemini-3.8-flash"}]}',
  );
  expect(sent(body, "/v1beta/models/other:batchEmbedContents")).toEqual([body, undefined]);
});

it("leaves alone what was not read, and everything where there are no aliases", () => {
  const body = bodyOf('{"model":"gpt"}');
  expect(withoutAliases(ALIASES, CHAT, body, undefined)).toBeUndefined();
  const reading = readBody(body.whole());
  expect(withoutAliases(new Map(), CHAT, body, reading)).toBe(reading);
  expect(body.whole().toString()).toBe('{"model":"gpt"}');
});

it("makes edits of several hands at once, each by the bytes received", () => {
  const body = bodyOf('{"a":"1","b":"2"}');
  body.edit([{ start: 14, end: 15, text: "second" }]);
  body.edit([{ start: 6, end: 7, text: "first" }]);
  expect([body.whole().toString(), body.bytesToSend]).toEqual(['{"a":"first","b":"second"}', 26]);
  body.release();
  expect(body.toSend()).toEqual([]);
});
