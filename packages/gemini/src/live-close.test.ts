import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CLOSE_REASON_BYTES_MAX,
  classifyLiveClose,
  closeCodeFor,
  closeReason,
  isSendableCode,
  outcomeOfSession,
} from "./live-close.ts";

const CONTEXT = { nowMs: 1_000 };

function kindOf(code: number, reason: string): string {
  return classifyLiveClose({ code, reason }, CONTEXT).kind;
}

describe("tells from code and reason", () => {
  it.each([
    [1007, "API key not valid. Please pass a valid API key.", "key-dead"],
    [1007, "API key expired. Please renew the API key.", "key-dead"],
    [1008, "Consumer 'api_key:x' has been suspended.", "key-dead"],
    [1008, "Your API key was reported as leaked. Please use another API key.", "key-dead"],
    [1011, "Your prepayment credits are depleted. Please go to AI Studio", "billing"],
    [1011, "Your project has exceeded its monthly spending cap.", "billing"],
    [1011, "You exceeded your current quota, please check your plan and billing details.", "quota-minute"],
    [1011, "Too many concurrent sessions.", "quota-minute"],
    [1011, "Resource has been exhausted (e.g. check quota).", "overloaded"],
    [1011, "Internal error encountered.", "overloaded"],
    [1011, "The model is overloaded. Please try again later.", "overloaded"],
    [1013, "", "overloaded"],
    [1008, "Permission denied on resource project 1.", "model-unavailable"],
    [1008, "models/m is not found for API version v1beta, or is not supported", "caller-fault"],
    [1008, "BidiGenerateContent session not found.", "foreign-resource"],
    [1008, "Operation is not implemented, or supported, or enabled.", "caller-fault"],
    [1007, "Request contains an invalid argument.", "caller-fault"],
    [1009, "message too big", "caller-fault"],
    [1007, "User location is not supported for the API use.", "location"],
    [1000, "", "broken"],
    [1006, "", "broken"],
  ])("%i %j: %s", (code, reason, kind) => {
    expect(kindOf(code, reason)).toBe(kind);
  });

  it("with what was said as evidence, at most a frame of it", () => {
    const outcome = classifyLiveClose(
      { code: 1007, reason: "API key not valid. AIza" + "x".repeat(40) },
      CONTEXT,
    );
    expect(outcome).toMatchObject({
      reason: "invalid",
      evidence: { httpStatus: 101, reason: "close 1007", message: "API key not valid. [redacted]" },
    });
  });

  it("whatever it is given, and never that a made-up text took a key out", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 4999 }), fc.string(), (code, text) => {
        expect(kindOf(code, `: ${text}`)).not.toBe("key-dead");
      }),
    );
  });
});

it("does not blame a key for a session that was over", () => {
  for (const close of [
    { code: 1000, reason: "" },
    { code: 1005, reason: "" },
    { code: 1011, reason: "Deadline expired before operation could complete." },
  ]) {
    expect(outcomeOfSession(close, CONTEXT)).toEqual({ kind: "served" });
  }
  expect(outcomeOfSession({ code: 1006, reason: "" }, CONTEXT).kind).toBe("broken");
  expect(
    outcomeOfSession({ code: 1011, reason: "Your prepayment credits are depleted." }, CONTEXT).kind,
  ).toBe("billing");
});

describe("words a close of the gateway's own", () => {
  it("with the moment of return whole, whatever has to go", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (text) => {
        const reason = closeReason(text, 36_001);
        expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(CLOSE_REASON_BYTES_MAX);
        expect(reason.endsWith(" Retry in 37s.")).toBe(true);
      }),
    );
    expect(closeReason("Too late.")).toBe("Too late.");
  });

  it("with codes a frame may carry", () => {
    expect([400, 401, 403, 404, 429, 503].map(closeCodeFor)).toEqual([1007, 1008, 1008, 1008, 1011, 1011]);
    expect([999, 1000, 1004, 1005, 1006, 1014, 1015, 3000, 5000].filter(isSendableCode)).toEqual([
      1000, 1014, 3000,
    ]);
  });
});
