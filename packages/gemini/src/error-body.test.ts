import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseErrorBody } from "./error-body.ts";

const NATIVE = { error: { code: 503, message: "overloaded", status: "UNAVAILABLE" } };
const PARSED = { code: 503, message: "overloaded", status: "UNAVAILABLE", reasons: [], violations: [] };
const TYPE = "type.googleapis.com/google.rpc.";

function withDetails(message: string, ...details: object[]): ReturnType<typeof parseErrorBody> {
  return parseErrorBody(
    JSON.stringify({ error: { code: 429, message, status: "RESOURCE_EXHAUSTED", details } }),
  );
}

describe("dialects", () => {
  it.each([
    ["native", JSON.stringify(NATIVE, undefined, 2)],
    ["wrapped in an array", `[${JSON.stringify(NATIVE)}\n]\n`],
    ["the last element of an array", `[{"candidates":[]},${JSON.stringify(NATIVE)}]`],
    ["an event", `data: ${JSON.stringify(NATIVE)}\r\n\r\n`],
    ["a wrapped event after others", `data: {"a":1}\n\ndata: [${JSON.stringify(NATIVE)}]\n\n`],
  ])("%s", (_, body) => {
    expect(parseErrorBody(body)).toEqual(PARSED);
  });

  it("Interactions, whole and as an event", () => {
    const error = { code: "not_found", message: "x" };
    const expected = { code: undefined, status: "not_found", message: "x", reasons: [], violations: [] };
    expect(parseErrorBody(JSON.stringify({ error }))).toEqual(expected);
    const event = `event: error\ndata: ${JSON.stringify({ event_type: "error", error })}\n\n`;
    expect(parseErrorBody(event)).toEqual(expected);
  });

  it("none", () => {
    for (const body of [
      "",
      "<html>",
      "null",
      "[]",
      "[1]",
      '{"error":"text"}',
      '{"error":null}',
      "{}",
      "data: x",
    ]) {
      expect(parseErrorBody(body)).toBeUndefined();
    }
  });
});

describe("retry delay", () => {
  it.each([
    ["58s", 58_000],
    ["58.821668433s", 58_822],
    [{ seconds: 3, nanos: 500_000_000 }, 3500],
    [{ seconds: "3" }, 3000],
    ["0s", 0],
    ["99999999s", 90_000_000],
    ["-5s", undefined],
    ["soon", undefined],
    [7, undefined],
  ])("%j", (retryDelay, expected) => {
    expect(withDetails("x", { "@type": `${TYPE}RetryInfo`, retryDelay })?.retryDelayMs).toBe(expected);
  });

  it.each([
    ["Please retry in 58.821668433s.", 58_822],
    ["Please retry in 512.5ms.", 513],
    ["Please retry in 1h2m3s.", 3_723_000],
    ["Please retry in 2m.", 120_000],
    ["Please retry in a while.", undefined],
  ])("%s", (message, expected) => {
    expect(withDetails(message)?.retryDelayMs).toBe(expected);
  });
});

describe("violations", () => {
  const metric = "example.com/requests";

  it("take a missing limit from the message when only one is possible", () => {
    const violation = { quotaMetric: metric, quotaId: "PerDay" };
    const failure = { "@type": `${TYPE}QuotaFailure`, violations: [violation] };
    const one = withDetails(`* Quota exceeded for metric: ${metric}, limit: 0, model: m`, failure);
    expect(one?.violations).toEqual([{ quotaId: "PerDay", metric, limit: 0 }]);
    const lines = `* Quota exceeded for metric: ${metric}, limit: 5\n* Quota exceeded for metric: ${metric}, limit: 9`;
    expect(withDetails(lines, failure)?.violations[0]?.limit).toBeUndefined();
  });

  it("come from the message when there are no details", () => {
    const parsed = withDetails(`* Quota exceeded for metric: ${metric}, limit: 20, model: gemini-x\n`);
    expect(parsed?.violations).toEqual([{ quotaId: "", metric, limit: 20, model: "gemini-x" }]);
  });
});

describe("consumer", () => {
  it("is a project, never a key", () => {
    const info = (consumer: string): object => ({
      "@type": `${TYPE}ErrorInfo`,
      reason: "R",
      metadata: { consumer },
    });
    expect(withDetails("x", info("projects/123"))?.consumer).toBe("123");
    expect(withDetails("x", info("api_key:test-key-1"))?.consumer).toBeUndefined();
  });
});

it("never throws, whatever an error holds", () => {
  const details = fc.array(
    fc.record(
      {
        "@type": fc.constantFrom("ErrorInfo", "QuotaFailure", "RetryInfo").map((name) => TYPE + name),
        metadata: fc.anything(),
        violations: fc.anything(),
        retryDelay: fc.anything(),
        reason: fc.anything(),
      },
      { requiredKeys: [] },
    ),
  );
  const body = fc.oneof(
    fc.string(),
    fc.record({
      error: fc.record({ code: fc.anything(), message: fc.anything(), details }, { requiredKeys: [] }),
    }),
  );
  fc.assert(
    fc.property(body, (any) => {
      const text =
        typeof any === "string"
          ? any
          : JSON.stringify(any, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
      expect(() => parseErrorBody(text)).not.toThrow();
    }),
  );
});
