import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeTail } from "./stream-tail.ts";
import { lateErrorFrame } from "./error-answer.ts";
import type { StreamDialect } from "./stream-inspector.ts";

const USAGE =
  '"usageMetadata": {"promptTokenCount": 18,"candidatesTokenCount": 31,"totalTokenCount": 84,"thoughtsTokenCount": 35}';
const TEXT = `{"candidates": [{"content": {"parts": [{"text": "a } \\" ] {"}],"role": "model"},"index": 0}],${USAGE}}`;
const LAST = `{"candidates": [{"content": {"parts": [{"text": "b"}]},"finishReason": "STOP","index": 0}],${USAGE}}`;
const ERROR = '{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}';

const judge = (dialect: StreamDialect, text: string): ReturnType<typeof judgeTail> =>
  judgeTail(Buffer.from(text), dialect);

describe("an event stream", () => {
  it("finished, with its usage", () => {
    const verdict = judge("sse", `rtial"}]}\r\n\r\ndata: ${TEXT}\r\n\r\ndata: ${LAST}\r\n\r\n`);
    const usage = { promptTokens: 18, outputTokens: 66, totalTokens: 84 };
    expect(verdict).toEqual({ finished: true, usage, openBoundary: true, closed: false });
  });

  it("stopped without a finish reason", () => {
    expect(judge("sse", `data: ${TEXT}\r\n\r\n`)).toMatchObject({ finished: false, openBoundary: true });
  });

  it.each([
    ["an event", `data: ${TEXT}\r\n\r\ndata: ${ERROR}\r\n\r\n`, ERROR],
    ["a wrapped event", `data: [${ERROR}]\n\n`, `[${ERROR}]`],
    ["an event without its end", `data: ${ERROR}`, ERROR],
    [
      "a raw tail",
      `data: ${TEXT}\r\n\r\n${JSON.stringify(JSON.parse(ERROR), undefined, 2)}\n`,
      JSON.stringify(JSON.parse(ERROR), undefined, 2),
    ],
  ])("ended with an error as %s", (_, text, error) => {
    expect(judge("sse", text)).toMatchObject({ error });
  });

  it("is not in error because the model wrote of one", () => {
    const words = JSON.stringify({
      candidates: [{ content: { parts: [{ text: `\n${ERROR}\ndata: ${ERROR}` }] } }],
    });
    const call = '{"candidates":[{"content":{"parts":[{"functionCall":{"args":{"error":{"code":1}}}}]}}]}';
    expect(judge("sse", `data: ${words}\r\n\r\ndata: ${call}\r\n\r\n`).error).toBeUndefined();
  });

  it.each([
    ["", true],
    ["data: {}\n\n", true],
    ["data: {}\r\n\r\n", true],
    ["data: {}\r\r", true],
    ["data: {}\r\n\r", true],
    ["data: {}\r\n", false],
    ["data: {}\n", false],
    ["data: {", false],
  ])("%j ends between events: %s", (text, openBoundary) => {
    expect(judge("sse", text).openBoundary).toBe(openBoundary);
  });
});

describe("a compatible stream", () => {
  it("finished by its end mark or a finish reason", () => {
    expect(judge("openai-sse", "data: {}\n\ndata: [DONE]\n\n").finished).toBe(true);
    expect(judge("openai-sse", 'data: {"choices":[{"finish_reason":"stop"}]}\n\n').finished).toBe(true);
    expect(judge("openai-sse", 'data: {"choices":[{"finish_reason":null}]}\n\n').finished).toBe(false);
  });
});

describe("an Interactions stream", () => {
  it("finished or failed by its last events", () => {
    const completed = 'event: interaction.completed\ndata: {"event_type":"interaction.completed"}\n\n';
    const failed = '{"event_type":"error","error":{"code":"api_error","message":"x"}}';
    expect(judge("interactions-sse", completed)).toMatchObject({ finished: true });
    expect(judge("interactions-sse", `event: error\ndata: ${failed}\n\n`)).toMatchObject({
      finished: false,
      error: failed,
    });
  });
});

describe("a streamed array", () => {
  it.each([
    ["closed", `[${TEXT}\n,\r\n${LAST}\n]`, { finished: true, openBoundary: false, closed: true }],
    ["between elements", `[${TEXT}\n,\r\n${TEXT}\n`, { finished: false, openBoundary: true }],
    ["between elements without line ends", `[${TEXT},${TEXT}`, { finished: false, openBoundary: true }],
    ["after a comma", `[${TEXT}\n,\r\n`, { finished: false, openBoundary: "after-comma", closed: false }],
    ["inside an element", `[${TEXT}\n,\r\n${TEXT.slice(0, -5)}`, { finished: false, openBoundary: false }],
    [
      "inside a string that looks closed",
      `[${TEXT.slice(0, TEXT.indexOf("}") + 1)}`,
      { finished: false, openBoundary: false },
    ],
    [
      "a window that begins inside an element",
      `t": "x"}]}}]}\n,\r\n${TEXT}`,
      { finished: false, openBoundary: true },
    ],
    ["with a late error", `[${TEXT}\n,\r\n${ERROR}\n]`, { error: ERROR, openBoundary: false }],
  ])("%s", (_, text, expected) => {
    expect(judge("json-array", text)).toMatchObject(expected);
  });
});

describe("the error event that ends a broken stream", () => {
  const late = { code: 503, status: "UNAVAILABLE", message: "The upstream broke off." };

  it("is found again as that stream's error, wherever it was cut", () => {
    const streams: readonly (readonly [StreamDialect, string])[] = [
      ["sse", `data: ${TEXT}\r\n\r\ndata: ${LAST}\r\n\r\n`],
      ["openai-sse", `data: ${TEXT}\n\ndata: ${LAST}\n\n`],
      ["interactions-sse", `event: a\ndata: ${TEXT}\n\nevent: b\ndata: ${LAST}\n\n`],
      ["json-array", `[${TEXT}\n,\r\n${LAST}\n]`],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...streams), fc.nat(500), ([dialect, text], cut) => {
        const sent = text.slice(0, cut);
        const frame = lateErrorFrame(dialect, judge(dialect, sent).openBoundary, late);
        if (frame === undefined) return;
        expect(judge(dialect, sent + frame).error).toContain(late.message);
        expect(dialect === "json-array" ? (JSON.parse(sent + frame) as unknown) : []).toBeInstanceOf(Array);
      }),
    );
  });
});

it("never throws, on any bytes", () => {
  const dialect = fc.constantFrom<StreamDialect>("sse", "json-array", "openai-sse", "interactions-sse");
  fc.assert(
    fc.property(
      dialect,
      fc.string({
        unit: fc.constantFrom("{", "}", "[", '"', "\\", "\n", "data: ", '"error":', '"candidates":'),
      }),
      (any, text) => {
        expect(typeof judge(any, text).finished).toBe("boolean");
      },
    ),
  );
});
