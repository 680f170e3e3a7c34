import { describe, expect, it } from "vitest";
import { judgeAnswer, showsText } from "./emptiness.ts";

const NATIVE = { surface: "native", operation: "generateContent" } as const;
const OPENAI = { surface: "openai", operation: "chat.completions" } as const;

const native = (body: unknown): string =>
  judgeAnswer(Buffer.from(JSON.stringify(body, undefined, 2)), NATIVE);
const openai = (body: unknown): string => judgeAnswer(Buffer.from(JSON.stringify(body)), OPENAI);
const candidate = (parts: unknown, finishReason?: string): object => ({
  candidates: [{ content: { role: "model", parts }, finishReason, index: 0 }],
  usageMetadata: { promptTokenCount: 3130, totalTokenCount: 3130 },
});

describe("native answers with something for the client", () => {
  it.each([
    ["text", candidate([{ text: "hi" }], "STOP")],
    ["text after an empty part", candidate([{ text: "" }, { text: "hi" }], "STOP")],
    ["a thought the client asked for", candidate([{ text: "hm", thought: true }], "STOP")],
    [
      "a function call alone",
      candidate([{ functionCall: { name: "f", args: {} }, thoughtSignature: "QQ==" }], "STOP"),
    ],
    ["an image", candidate([{ inlineData: { mimeType: "image/png", data: "QQ==" } }], "STOP")],
    [
      "a spent token budget without parts",
      { candidates: [{ content: { role: "model" }, finishReason: "MAX_TOKENS" }] },
    ],
    ["a safety stop", { candidates: [{ finishReason: "SAFETY", index: 0 }] }],
    ["a reason nobody knows yet", { candidates: [{ finishReason: "SOMETHING_NEW" }] }],
    ["a continuation", { candidates: [{ finishReason: "CONTINUATION", continuationToken: "t" }] }],
    ["a blocked prompt", { promptFeedback: { blockReason: "PROHIBITED_CONTENT" } }],
    [
      "the second candidate only",
      { candidates: [{ finishReason: "STOP" }, { content: { parts: [{ text: "b" }] } }] },
    ],
  ])("%s", (_, body) => {
    expect(native(body)).toBe("meaningful");
  });
});

describe("native answers with nothing in them", () => {
  it.each([
    ["STOP without parts", { candidates: [{ content: { role: "model" }, finishReason: "STOP", index: 0 }] }],
    ["STOP with empty content", { candidates: [{ content: {}, finishReason: "STOP" }] }],
    ["an empty text", candidate([{ text: "" }], "STOP")],
    ["a lone signature on an empty text", candidate([{ text: "", thoughtSignature: "QQ==" }], "STOP")],
    ["no parts and no reason", candidate([])],
    ["no candidates", { candidates: [] }],
    ["usage only", { usageMetadata: { promptTokenCount: 1 }, modelVersion: "m" }],
    ["feedback that blocks nothing", { promptFeedback: { safetyRatings: [] } }],
  ])("%s", (_, body) => {
    expect(native(body)).toBe("empty");
  });

  it("no bytes", () => {
    expect(judgeAnswer(Buffer.alloc(0), NATIVE)).toBe("empty");
    expect(judgeAnswer(Buffer.from(" \n"), NATIVE)).toBe("empty");
  });
});

describe("compatible answers", () => {
  const choice = (message: unknown, finish_reason: string | null): object => ({
    choices: [{ index: 0, finish_reason, message }],
  });

  it.each([
    ["content", choice({ role: "assistant", content: "hi" }, "stop"), "meaningful"],
    ["tool calls", choice({ content: null, tool_calls: [{ id: "1" }] }, "tool_calls"), "meaningful"],
    ["a refusal", choice({ refusal: "no" }, "stop"), "meaningful"],
    ["a spent budget", choice({ role: "assistant" }, "length"), "meaningful"],
    ["no content", choice({ role: "assistant" }, "stop"), "empty"],
    ["empty content", choice({ role: "assistant", content: "" }, "stop"), "empty"],
    ["no choices", { choices: [] }, "empty"],
    ["a wrapped error", [{ error: { code: 503, message: "x", status: "UNAVAILABLE" } }], "error"],
  ])("%s", (_, body, verdict) => {
    expect(openai(body)).toBe(verdict);
  });
});

describe("what is no answer at all", () => {
  it("is an error when it says so, whatever the operation", () => {
    const error = { error: { code: 503, message: "overloaded", status: "UNAVAILABLE" } };
    expect(native(error)).toBe("error");
    expect(native([error])).toBe("error");
    expect(
      judgeAnswer(Buffer.from(JSON.stringify(error)), { surface: "native", operation: "models.list" }),
    ).toBe("error");
  });

  it("is broken when it is not whole JSON", () => {
    for (const body of ["<html></html>", "hello", '{"candidates":[', '{"candidates":[}', '"text"']) {
      expect(judgeAnswer(Buffer.from(body), NATIVE)).toBe("broken");
    }
  });

  it("is judged element by element when a streamed array comes whole", () => {
    const empty = { candidates: [{ finishReason: "STOP" }] };
    expect(native([empty, candidate([{ text: "hi" }])])).toBe("meaningful");
    expect(native([empty, empty])).toBe("empty");
    expect(native([])).toBe("empty");
  });
});

describe("operations that generate nothing", () => {
  const judge = (operation: string, body: string): string =>
    judgeAnswer(Buffer.from(body), { surface: "native", operation });

  it("only have to be JSON", () => {
    expect(judge("countTokens", '{"totalTokens":0}\n')).toBe("meaningful");
    expect(judge("models.list", "{}")).toBe("meaningful");
    expect(judge("countTokens", "")).toBe("empty");
    expect(judge("countTokens", "<html>")).toBe("broken");
    expect(judge("countTokens", '{"totalTokens":')).toBe("broken");
  });

  it("may be any bytes when they are not known", () => {
    expect(judge("other", "")).toBe("meaningful");
    expect(judge("other", "\x89PNG")).toBe("meaningful");
  });
});

describe("showsText", () => {
  const shows = (text: string): boolean => showsText(Buffer.from(text), "native");

  it("sees text in the head of an answer", () => {
    expect(shows('{\n  "candidates": [\n {"content": {"parts": [\n{ "text" : "h')).toBe(true);
    expect(showsText(Buffer.from('{"choices":[{"message":{"content":"h'), "openai")).toBe(true);
  });

  it("is not fooled by empty texts, cut ones, or names inside strings", () => {
    expect(shows('{"parts":[{"text":""')).toBe(false);
    expect(shows('{"parts":[{"text":"')).toBe(false);
    expect(shows('{"parts":[{"text":')).toBe(false);
    expect(shows(JSON.stringify({ a: '"parts":[{"text":"x' }))).toBe(false);
    expect(showsText(Buffer.from('{"extra_content":"x"}'), "openai")).toBe(false);
  });
});
