import type { Outcome } from "@gemini-gateway/core/outcome";
import { expect, it } from "vitest";
import type { StreamDialect } from "./judgement.ts";
import { endOfStream, type StreamEnd } from "./stream-end.ts";

const BROKEN: Outcome = { kind: "broken", evidence: { httpStatus: 0, reason: "ECONNRESET", message: "" } };
const TEXT = '{"candidates":[{"content":{"parts":[{"text":"x"}]}}]}';
const LAST = '{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}]}';
const ERROR = '{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}';
const CHUNK = '{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}';

function end(dialect: StreamDialect, tail: string, failure?: Outcome): StreamEnd {
  return endOfStream(Buffer.from(tail), dialect, failure, {
    route: { resource: undefined, generates: true },
    nowMs: 0,
  });
}

it.each<[string, StreamDialect, string, string]>([
  ["finished", "sse", `data: ${LAST}\r\n\r\n`, "served"],
  ["without a finish", "sse", `data: ${TEXT}\r\n\r\n`, "truncated"],
  ["with a late error", "sse", `data: ${ERROR}\r\n\r\n`, "overloaded"],
  ["closed", "json-array", `[${LAST}\n]\n`, "served"],
])("an orderly end %s adds nothing (%s)", (_name, dialect, tail, logged) => {
  expect(end(dialect, tail)).toMatchObject({ lastWords: "", logged });
});

it("a break between events is told once", () => {
  const { lastWords, outcome } = end("sse", `data: ${TEXT}\r\n\r\n`, BROKEN);
  expect(lastWords).toMatch(/^data: \{"error":.*\}\r\n\r\n$/);
  expect(outcome).toBe(BROKEN);
});

it.each<[StreamDialect, string]>([
  ["json-array", `[${LAST}\n]\n`],
  ["openai-sse", `data: ${CHUNK}\n\ndata: [DONE]\n\n`],
])("a connection that breaks after the end mark of %s has broken nothing", (dialect, tail) => {
  expect(end(dialect, tail, BROKEN)).toMatchObject({
    lastWords: "",
    logged: "served",
    outcome: { kind: "served" },
  });
});

it("a break after the upstream's own late error adds no second one, and the error decides about the key", () => {
  const events = end("sse", `data: ${TEXT}\r\n\r\ndata: ${ERROR}\r\n\r\n`, BROKEN);
  expect(events).toMatchObject({ lastWords: "", logged: "overloaded" });
  // An array that is not closed is no JSON: the break must be seen.
  expect(end("json-array", `[${TEXT},${ERROR}`, BROKEN)).toMatchObject({
    lastWords: undefined,
    logged: "overloaded",
  });
});
