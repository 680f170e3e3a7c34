import { describe, expect, it } from "vitest";
import { classifyAnswer } from "./classify.ts";
import { answerDialect, errorAnswer, lateErrorAnswer, lateErrorFrame } from "./error-answer.ts";
import { parseErrorBody } from "./error-body.ts";
import { routeRequest } from "./route.ts";

const ERROR = {
  code: 429,
  status: "RESOURCE_EXHAUSTED",
  message: "No key can serve now.",
  retryAfterMs: 12_001,
};

describe("errorAnswer", () => {
  it("has Google's shape and layout", () => {
    expect(errorAnswer({ code: 503, status: "UNAVAILABLE", message: "x" }, "native")).toBe(
      '{\n  "error": {\n    "code": 503,\n    "message": "x",\n    "status": "UNAVAILABLE"\n  }\n}\n',
    );
  });

  it("is wrapped in an array where Google wraps it", () => {
    const native: unknown = JSON.parse(errorAnswer(ERROR, "native"));
    expect(JSON.parse(errorAnswer(ERROR, "array"))).toEqual([native]);
    expect(JSON.parse(errorAnswer(ERROR, "openai"))).toEqual([native]);
  });

  it("tells the delay so that it is never too short, and the reason as our own", () => {
    const parsed = parseErrorBody(errorAnswer({ ...ERROR, reason: "POOL_EXHAUSTED" }, "native"));
    expect(parsed).toMatchObject({ code: 429, retryDelayMs: 13_000, reasons: ["POOL_EXHAUSTED"] });
  });

  it("speaks the codes of Interactions", () => {
    expect(JSON.parse(errorAnswer(ERROR, "interactions"))).toEqual({
      error: { code: "rate_limit_exceeded", message: ERROR.message },
    });
    expect(errorAnswer({ ...ERROR, code: 502 }, "interactions")).toContain('"api_error"');
  });

  it("is understood by another gateway of this kind", () => {
    const context = {
      route: { resource: undefined, generates: true },
      nowMs: 0,
      requestTokensFloor: 0,
      tokenQuotaRefusals: 0,
    };
    const answer = { status: 429, contentType: "application/json", body: errorAnswer(ERROR, "openai") };
    expect(classifyAnswer(answer, context)).toMatchObject({ kind: "quota-minute", retryAfterMs: 13_000 });
  });
});

describe("answerDialect", () => {
  it.each([
    ["/v1/models/m:generateContent", "native"],
    ["/v1/models/m:streamGenerateContent?alt=sse", "native"],
    ["/v1/models/m:streamGenerateContent", "array"],
    ["/v1beta/openai/chat/completions", "openai"],
    ["/v1/interactions", "interactions"],
  ])("%s expects %s", (url, dialect) => {
    const route = routeRequest("POST", url);
    expect(route && answerDialect(route)).toBe(dialect);
  });
});

describe("lateErrorAnswer", () => {
  const error = { code: 429, message: "m", status: "RESOURCE_EXHAUSTED", details: [{ "@type": "t" }] };

  it.each([
    ["an event", `data: ${JSON.stringify({ error })}\r\n\r\n`],
    ["a body", JSON.stringify({ error }, undefined, 2)],
    ["an array", JSON.stringify([{ error }])],
  ])("takes the error out of %s, whole", (_name, text) => {
    const answer = lateErrorAnswer(text, "native");
    expect(answer?.status).toBe(429);
    expect(JSON.parse(answer?.body ?? "")).toEqual({ error });
  });

  it("puts it into the list that the dialect has around errors", () => {
    for (const dialect of ["array", "openai"] as const) {
      expect(JSON.parse(lateErrorAnswer(JSON.stringify({ error }), dialect)?.body ?? "")).toEqual([
        { error },
      ]);
    }
  });

  it("finds the status by the name of an Interactions error, and takes an unknown one for a fault of the server", () => {
    const named = (code: string): number | undefined =>
      lateErrorAnswer(JSON.stringify({ error: { code, message: "m" } }), "interactions")?.status;
    expect(named("quota_exceeded")).toBe(429);
    expect(named("something_new")).toBe(500);
  });

  it("gives nothing for what is no error", () => {
    expect(lateErrorAnswer('{"candidates":[]}', "native")).toBeUndefined();
    expect(lateErrorAnswer("<html>", "native")).toBeUndefined();
  });
});

describe("lateErrorFrame", () => {
  const error = { code: 503, status: "UNAVAILABLE", message: "m" };
  const json = '{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}';

  it.each([
    ["sse", true, `data: ${json}\r\n\r\n`],
    ["sse", "start", `data: ${json}\r\n\r\n`],
    ["sse", false, `\r\n\r\ndata: ${json}\r\n\r\n`],
    ["openai-sse", true, `data: ${json}\n\n`],
    ["openai-sse", false, `\n\ndata: ${json}\n\n`],
    ["json-array", true, `,\r\n${json}\n]`],
    ["json-array", "start", `[${json}\n]`],
    ["json-array", "after-comma", `${json}\n]`],
    ["json-array", false, undefined],
    [
      "interactions-sse",
      true,
      'event: error\ndata: {"event_type":"error","error":{"code":"service_unavailable","message":"m"}}\n\n',
    ],
  ] as const)("%s, boundary %s", (dialect, atBoundary, frame) => {
    expect(lateErrorFrame(dialect, atBoundary, error)).toBe(frame);
  });

  it("never is an SSE comment, which crashes clients", () => {
    for (const dialect of ["sse", "openai-sse", "interactions-sse"] as const) {
      expect(lateErrorFrame(dialect, false, error)).not.toMatch(/^:/m);
    }
  });
});
