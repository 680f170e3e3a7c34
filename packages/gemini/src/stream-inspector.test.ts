import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  PEEK_BYTES_MAX,
  StreamInspector,
  type StreamDialect,
  type StreamVerdict,
} from "./stream-inspector.ts";

/** Verdict over chunks that end after each of the given lengths; what is left is the last chunk. */
function inspect(dialect: StreamDialect, bytes: Buffer, lengths: readonly number[] = []): StreamVerdict {
  const inspector = new StreamInspector(dialect);
  let start = 0;
  for (const length of [...lengths, bytes.length]) {
    inspector.push(bytes.subarray(start, start + length));
    start = Math.min(bytes.length, start + length);
  }
  return inspector.end();
}

const kind = (dialect: StreamDialect, text: string): string => inspect(dialect, Buffer.from(text)).kind;

const TEXT =
  '{"candidates": [{"content": {"parts": [{"text": "h\u20acl\u2028lo"}],"role": "model"},"index": 0}]}';
const EMPTY = '{"candidates": [{"content": {"role": "model"},"finishReason": "STOP"}],"usageMetadata": {}}';
const CALL = '{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]}}]}';
const SPENT = '{"candidates":[{"content":{"role":"model"},"finishReason":"MAX_TOKENS"}]}';
const BLOCKED = '{"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},"modelVersion": "m"}';
const ERROR = '{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}';
const PRETTY_ERROR = `${JSON.stringify(JSON.parse(ERROR), undefined, 2)}\n`;
const CHUNK = (delta: string): string =>
  `{"object":"chat.completion.chunk","choices":[{"index":0,"delta":${delta},"finish_reason":null}]}`;

const STREAMS: readonly (readonly [StreamDialect, string, StreamVerdict["kind"]])[] = [
  ["sse", `data: ${TEXT}\r\n\r\n`, "meaningful"],
  ["sse", `data: ${EMPTY}\r\n\r\ndata: ${TEXT}\r\n\r\n`, "meaningful"],
  ["sse", `data:${TEXT}\n\n`, "meaningful"],
  ["sse", `\ufeffdata: ${TEXT}\r\r`, "meaningful"],
  ["sse", `event: x\nid: 1\ndata: ${TEXT}\n\n`, "meaningful"],
  ["sse", `data: {"candidates":\ndata: [{"finishReason":"SAFETY"}]}\n\n`, "meaningful"],
  ["sse", `data: ${TEXT}`, "meaningful"],
  ["sse", `data: ${CALL}\r\n\r\n`, "meaningful"],
  ["sse", `data: ${SPENT}\r\n\r\n`, "meaningful"],
  ["sse", `data: ${BLOCKED}\r\n\r\n`, "meaningful"],
  ["sse", "", "empty"],
  ["sse", "\r\n\r\n", "empty"],
  ["sse", ": comment\n\n", "empty"],
  ["sse", `data: ${EMPTY}\r\n\r\n`, "empty"],
  ["sse", `data: {"usageMetadata":{}}\r\n\r\ndata: ${EMPTY}\r\n\r\n`, "empty"],
  ["sse", `data: ${ERROR}\r\n\r\n`, "error"],
  ["sse", `data: [${ERROR}]\r\n\r\n`, "error"],
  ["sse", `data: ${EMPTY}\r\n\r\ndata: ${ERROR}\r\n\r\n`, "error"],
  ["sse", PRETTY_ERROR, "error"],
  ["sse", `[${ERROR}\n]\n`, "error"],
  ["sse", `data: ${EMPTY}\r\n\r\n${PRETTY_ERROR}`, "error"],
  ["sse", `data: ${TEXT.slice(0, 40)}`, "broken"],
  ["sse", "data: <html>\n\n", "broken"],
  ["sse", PRETTY_ERROR.slice(0, 30), "broken"],
  ["json-array", `[${TEXT}\n,\r\n${EMPTY}\n]`, "meaningful"],
  ["json-array", `[${EMPTY}\r\n,\r\n${TEXT}\r\n]`, "meaningful"],
  ["json-array", TEXT, "meaningful"],
  ["json-array", "", "empty"],
  ["json-array", "[\n]\n", "empty"],
  ["json-array", `[${EMPTY}\n,\r\n${EMPTY}\n]`, "empty"],
  ["json-array", `[${EMPTY}\n,\r\n${ERROR}\n]`, "error"],
  ["json-array", `[${PRETTY_ERROR}]`, "error"],
  ["json-array", PRETTY_ERROR, "error"],
  ["json-array", `[${EMPTY}\n,`, "broken"],
  ["json-array", `[${TEXT.slice(0, -3)}`, "broken"],
  ["json-array", "<html>", "broken"],
  ["json-array", "[}]", "broken"],
  ["openai-sse", `data: ${CHUNK('{"role":"assistant","content":"h"}')}\n\ndata: [DONE]\n\n`, "meaningful"],
  ["openai-sse", `data: ${CHUNK('{"tool_calls":[{"id":"1"}]}')}\n\n`, "meaningful"],
  ["openai-sse", `data: ${CHUNK('{"role":"assistant"}')}\n\ndata: [DONE]\n\n`, "empty"],
  ["openai-sse", "data: [DONE]\n\n", "empty"],
  ["openai-sse", `data: [${ERROR}]\n\n`, "error"],
  [
    "interactions-sse",
    'event: step.delta\ndata: {"event_type":"step.delta","delta":{"text":"h"}}\n\n',
    "meaningful",
  ],
  [
    "interactions-sse",
    'data: {"event_type":"interaction.created"}\n\nevent: done\ndata: [DONE]\n\n',
    "meaningful",
  ],
  ["interactions-sse", "event: done\ndata: [DONE]\n\n", "empty"],
  [
    "interactions-sse",
    'event: error\ndata: {"event_type":"error","error":{"code":"not_found","message":"x"}}\n\n',
    "error",
  ],
];

describe("StreamInspector", () => {
  it.each(STREAMS)("%s %j is %s", (dialect, text, expected) => {
    expect(kind(dialect, text)).toBe(expected);
  });

  it("gives the same verdict byte by byte", () => {
    for (const [dialect, text] of STREAMS) {
      const bytes = Buffer.from(text);
      const whole = inspect(dialect, bytes);
      const bytewise = inspect(
        dialect,
        bytes,
        Array.from({ length: bytes.length }, () => 1),
      );
      expect(bytewise).toEqual(whole);
    }
  });

  it("gives the same verdict for any chunks, also of damaged streams", () => {
    const damaged = fc.record({
      stream: fc.constantFrom(...STREAMS),
      cut: fc.nat(400),
      noise: fc.oneof(
        fc.constant(""),
        fc.string({ unit: fc.constantFrom('"', "\\", "{", "}", "[", "]", "\n", "\r", "d", "\u20ac") }),
      ),
      at: fc.nat(400),
      lengths: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 30 }),
    });
    fc.assert(
      fc.property(damaged, ({ stream: [dialect, text], cut, noise, at, lengths }) => {
        const spoilt = text.slice(0, at) + noise + text.slice(at, Math.max(at, text.length - cut));
        const bytes = Buffer.from(spoilt);
        expect(inspect(dialect, bytes, lengths)).toEqual(inspect(dialect, bytes));
      }),
      { numRuns: 500 },
    );
  });

  it("never ends undecided, and never throws, on any bytes", () => {
    const dialect = fc.constantFrom<StreamDialect>("sse", "json-array", "openai-sse", "interactions-sse");
    fc.assert(
      fc.property(dialect, fc.uint8Array({ maxLength: 300 }), (any, bytes) => {
        expect(inspect(any, Buffer.from(bytes)).kind).not.toBe("undecided");
      }),
    );
  });

  it("hands out the error as it came", () => {
    const verdict = inspect("sse", Buffer.from(`data: ${EMPTY}\r\n\r\n${PRETTY_ERROR}`));
    expect(verdict).toEqual({ kind: "error", body: PRETTY_ERROR.trim() });
  });

  it("decides at the first event, and stays decided", () => {
    const inspector = new StreamInspector("sse");
    expect(inspector.push(Buffer.from(`data: ${TEXT}\r\n`)).kind).toBe("undecided");
    expect(inspector.push(Buffer.from("\r")).kind).toBe("meaningful");
    expect(inspector.push(Buffer.from(`\ndata: ${ERROR}\r\n\r\n`)).kind).toBe("meaningful");
    expect(inspector.end().kind).toBe("meaningful");
  });

  it("takes a stream that says much before its first event ends for meaningful, at the same byte however it is cut", () => {
    const image = Buffer.from(`data: {"x":"${"A".repeat(PEEK_BYTES_MAX)}`);
    const whole = new StreamInspector("sse");
    expect(whole.push(image.subarray(0, PEEK_BYTES_MAX)).kind).toBe("undecided");
    expect(whole.push(image.subarray(PEEK_BYTES_MAX)).kind).toBe("meaningful");
    expect(new StreamInspector("sse").push(image).kind).toBe("meaningful");
  });
});
