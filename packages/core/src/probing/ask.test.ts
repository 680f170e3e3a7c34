import { describe, expect, it } from "vitest";
import type { Evidence } from "../outcome.ts";
import type { AskPolicy, TestSubject } from "./ask.ts";
import { judgePair } from "./judge-pair.ts";
import { KEY_ITSELF } from "./test-plan.ts";

const NOW = 1_700_000_000_000;
const LATER = NOW + 3_600_000;
const evidence: Evidence = { httpStatus: 403, reason: "", message: "" };
const out = { evidence, sinceMs: NOW, failures: 1, trialAtMs: LATER };

const GOOD: TestSubject = {
  isEnabled: true,
  health: { kind: "good", sinceMs: NOW },
  standing: { kind: "good" },
  lane: { kind: "proven", sinceMs: NOW },
  isTrialOut: false,
};
const INVALID: TestSubject = { ...GOOD, health: { kind: "dead", reason: "invalid", ...out } };
const LEAKED: TestSubject = { ...GOOD, health: { kind: "dead", reason: "leaked", ...out } };
const UNPAID: TestSubject = { ...GOOD, standing: { kind: "billing", ...out } };
const DENIED: TestSubject = { ...GOOD, standing: { kind: "denied", reason: "denied", ...out } };
const SUSPENDED: TestSubject = { ...GOOD, standing: { kind: "denied", reason: "suspended", ...out } };
const CLOSED: TestSubject = {
  ...GOOD,
  lane: { kind: "unavailable", sinceMs: NOW, trialAtMs: LATER, failures: 1, evidence },
};
const QUOTA_OF_0: TestSubject = {
  ...CLOSED,
  lane: { ...CLOSED.lane, evidence: { ...evidence, httpStatus: 429 } } as TestSubject["lane"],
};
const EXHAUSTED: TestSubject = {
  ...GOOD,
  lane: { kind: "quota-day", sinceMs: NOW, untilMs: LATER, trialAtMs: NOW, evidence },
};

function verdict(subject: TestSubject, model: string, policy: AskPolicy = "auto", nowMs = NOW): string {
  const judged = judgePair(subject, model, nowMs, policy);
  return judged.kind === "ask" ? judged.ask : judged.kind;
}

describe("auto asks the cheapest question that can answer", () => {
  it.each<[string, TestSubject, string, string]>([
    ["a key that is invalid", INVALID, KEY_ITSELF, "list"],
    ["a project that is suspended", SUSPENDED, KEY_ITSELF, "list"],
    ["a key that was leaked", LEAKED, KEY_ITSELF, "generate"],
    ["a project without credit", UNPAID, KEY_ITSELF, "generate"],
    ["a project that is denied", DENIED, KEY_ITSELF, "generate"],
    ["a model never tried", { ...GOOD, lane: undefined }, "m", "count"],
    ["a model that works", GOOD, "m", "count"],
    ["a model that is closed", CLOSED, "m", "count"],
    ["a model with a quota of 0", QUOTA_OF_0, "m", "generate"],
  ])("%s", (_name, subject, model, ask) => {
    expect(verdict(subject, model)).toBe(ask);
  });
});

it("never asks an exhausted lane before its day is over, whatever the policy, and then without generating", () => {
  for (const policy of ["auto", "generate", "count", "list"] as const) {
    expect(verdict(EXHAUSTED, "m", policy)).toBe("wait");
  }
  expect(verdict(EXHAUSTED, "m", "auto", LATER)).toBe("count");
});

it("asks what the operator chose, unless that cannot bring the key back", () => {
  expect(verdict(GOOD, "m", "generate")).toBe("generate");
  expect(verdict(GOOD, "m", "list")).toBe("list");
  expect(verdict(INVALID, KEY_ITSELF, "generate")).toBe("generate");
  expect(verdict(UNPAID, KEY_ITSELF, "list")).toBe("generate");
  expect(verdict(CLOSED, "m", "list")).toBe("count");
});

it("asks a key that is out by itself only, and leaves alone what is disabled, or tried already", () => {
  expect(verdict(INVALID, "m")).toBe("key-out");
  expect(verdict(GOOD, KEY_ITSELF)).toBe("leave");
  expect(verdict({ ...INVALID, isEnabled: false }, KEY_ITSELF)).toBe("leave");
  expect(verdict({ ...INVALID, isTrialOut: true }, KEY_ITSELF)).toBe("busy");
});
