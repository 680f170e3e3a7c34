import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classifyAnswer, classifyLateError, type ClassifyContext } from "./classify.ts";

const CONTEXT: ClassifyContext = {
  route: { resource: undefined, generates: true },
  nowMs: Date.UTC(2026, 10, 23, 12),
  requestTokensFloor: 0,
  tokenQuotaRefusals: 0,
};

function kindOf(status: number, error: object | string, route = CONTEXT.route): string {
  const body = typeof error === "string" ? error : JSON.stringify({ error });
  return classifyAnswer({ status, contentType: "application/json", body }, { ...CONTEXT, route }).kind;
}

describe("classifyAnswer", () => {
  it("serves every 2xx", () => {
    expect(kindOf(200, "{}")).toBe("served");
    expect(kindOf(204, "")).toBe("served");
  });

  it("takes no key out because a caller wrote an error's words into the request", () => {
    const status = "INVALID_ARGUMENT";
    const quotes = [
      "Invalid value at 'contents[0].role': API key not valid. Please pass a valid API key.",
      'Unknown name "Your API key was reported as leaked"',
      "* Your project has been denied access: bad value",
    ];
    for (const message of quotes) expect(kindOf(400, { code: 400, message, status })).toBe("caller-fault");
  });

  it("knows what another project has, named in a body, from a wrong model and a bad request", () => {
    const file = { name: "files/a", root: "files/a", kind: "file" } as const;
    const token = { name: "continuations/1", root: "continuations/1", kind: "continuation" } as const;
    const kind = (status: number, error: object, more: Partial<ClassifyContext>): string =>
      classifyAnswer(
        { status, contentType: "application/json", body: JSON.stringify({ error }) },
        { ...CONTEXT, ...more },
      ).kind;
    const notFound = { code: "not_found", message: "Requested entity was not found." };
    expect(kind(404, notFound, { refersTo: [file] })).toBe("foreign-resource");
    expect(kind(404, notFound, {})).toBe("caller-fault");
    const noModel = { code: 404, message: "models/x is not found for API version v1", status: "NOT_FOUND" };
    expect(kind(404, noModel, { refersTo: [file] })).toBe("caller-fault");
    const noModelEither = { code: "model_not_found", message: "No such model." };
    expect(kind(404, noModelEither, { refersTo: [file] })).toBe("caller-fault");
    const badToken = { code: 400, message: "Invalid continuation token.", status: "INVALID_ARGUMENT" };
    expect(kind(400, badToken, { refersTo: [token] })).toBe("foreign-resource");
    expect(kind(400, badToken, { refersTo: [file] })).toBe("caller-fault");
    for (const message of ["Corrupted thought signature.", "Thought signature is not valid"]) {
      const signature = { code: 400, message, status: "INVALID_ARGUMENT" };
      expect(kind(400, signature, { isSigned: true })).toBe("foreign-resource");
      expect(kind(400, signature, {})).toBe("caller-fault");
    }
    const missing = "Function call is missing a thought_signature in functionCall parts.";
    const unsigned = { code: 400, message: missing, status: "INVALID_ARGUMENT" };
    expect(kind(400, unsigned, { isSigned: true })).toBe("caller-fault");
  });

  it("passes on what is wrong with the request for every key", () => {
    expect(kindOf(413, "")).toBe("caller-fault");
    expect(kindOf(404, "")).toBe("caller-fault");
    expect(kindOf(400, "<!DOCTYPE html><title>Error 400 (Bad Request)!!1</title>")).toBe("caller-fault");
    expect(kindOf(501, { code: 501, message: "Not implemented", status: "UNIMPLEMENTED" })).toBe(
      "caller-fault",
    );
  });

  it("blames the network for a redirect of a generation only", () => {
    expect(kindOf(302, "")).toBe("network");
    expect(kindOf(302, "", { resource: "files/abc", generates: false })).toBe("caller-fault");
  });

  it("rests for a day when a nameless quota asks for more than a minute's patience", () => {
    const message = "Quota exceeded for metric: example.com/requests, limit: 5\nPlease retry in 5h3m2.5s.";
    expect(kindOf(429, { code: 429, message, status: "RESOURCE_EXHAUSTED" })).toBe("quota-day");
  });

  it("reads a quota without details from its message", () => {
    const message = "You exceeded your current quota. Please retry in 512ms.";
    const body = JSON.stringify({ error: { code: 429, message, status: "RESOURCE_EXHAUSTED" } });
    const outcome = classifyAnswer({ status: 429, contentType: "", body }, CONTEXT);
    expect(outcome).toMatchObject({ kind: "quota-minute", retryAfterMs: 512 });
  });

  it("wants billing, not another country, where only the free tier is refused", () => {
    const message =
      "Gemini API free tier is not available in your country. Please enable billing on your project.";
    expect(kindOf(400, { code: 400, message, status: "FAILED_PRECONDITION" })).toBe("billing");
  });

  it("has an outcome for any answer, and a key is dead only by a reason, an opening or a 401", () => {
    const anyAnswer = fc.record({
      status: fc.integer({ min: 0, max: 999 }),
      contentType: fc.constantFrom("", "text/html", "application/json"),
      body: fc.oneof(
        fc.string(),
        fc.json(),
        fc.anything().map((value) => JSON.stringify({ error: value }) ?? ""),
      ),
    });
    fc.assert(
      fc.property(anyAnswer, (answer) => {
        const outcome = classifyAnswer(answer, CONTEXT);
        expect(outcome.kind !== "key-dead" || answer.status === 401).toBe(true);
        expect(classifyLateError(answer.body, CONTEXT).kind).not.toBe("key-dead");
      }),
    );
  });
});

describe("classifyLateError", () => {
  it("goes by the error's own status, since the stream's was 200", () => {
    const error = (code: unknown, status?: string): string =>
      classifyLateError(JSON.stringify({ error: { code, message: "x", status } }), CONTEXT).kind;
    expect(error(503, "UNAVAILABLE")).toBe("overloaded");
    expect(error(undefined, "INVALID_ARGUMENT")).toBe("caller-fault");
    expect(error("service_unavailable")).toBe("overloaded");
    expect(error("content_blocked_by_safety")).toBe("caller-fault");
    // The number of the RPC status instead of HTTP's.
    expect(error(14, "UNAVAILABLE")).toBe("overloaded");
    expect(error(200, "OK")).toBe("overloaded");
  });

  it("calls broken what cannot be read", () => {
    expect(classifyLateError("{", CONTEXT).kind).toBe("broken");
    expect(classifyLateError('{"candidates":[]}', CONTEXT).kind).toBe("broken");
  });
});
