import { expect, test } from "vitest";
import { UNTESTED_KEY, isKeyUsable, keyHealthAfter } from "./key-health.ts";
import type { KeyHealth } from "./key-health.ts";
import type { Evidence, Outcome } from "./outcome.ts";
import { GOOD_STANDING, projectStandingAfter } from "./project-standing.ts";
import { DEFAULT_RESTS, TRIAL_AGAIN_MS } from "./rests.ts";

const NOW = 1_700_000_000_000;
const evidence: Evidence = { httpStatus: 400, reason: "API_KEY_INVALID", message: "" };
const invalid: Outcome = { kind: "key-dead", reason: "invalid", evidence };
const suspended: Outcome = { kind: "key-dead", reason: "suspended", evidence };
const blocked: Outcome = { kind: "key-misconfigured", reason: "ip-blocked", evidence };
const billing: Outcome = { kind: "billing", evidence };
const quota: Outcome = { kind: "quota-minute", retryAfterMs: 0, evidence };

const context = { nowMs: NOW, rests: DEFAULT_RESTS, random: () => 0.5 };

function settle(health: KeyHealth, outcome: Outcome, late = false): KeyHealth {
  return keyHealthAfter(health, { kind: "settled", outcome, late }, context);
}

test("a dead key is out with its reason and its evidence, and each failed trial puts the next one off", () => {
  const dead = settle(UNTESTED_KEY, invalid);
  expect(dead).toEqual({
    kind: "dead",
    reason: "invalid",
    evidence,
    sinceMs: NOW,
    failures: 1,
    trialAtMs: NOW + DEFAULT_RESTS.keyDeadMs,
  });
  expect(isKeyUsable(dead)).toBe(false);
  expect(settle(dead, invalid)).toMatchObject({ failures: 2, trialAtMs: NOW + 2 * DEFAULT_RESTS.keyDeadMs });
  expect(settle(dead, invalid, true)).toBe(dead);
});

test("a misconfigured key waits for its own time", () => {
  expect(settle(UNTESTED_KEY, blocked)).toMatchObject({
    kind: "misconfigured",
    reason: "ip-blocked",
    trialAtMs: NOW + DEFAULT_RESTS.keyMisconfiguredMs,
  });
});

test("a served trial heals a key, and so does an answer only an accepted key gets", () => {
  const dead = settle(UNTESTED_KEY, invalid);
  expect(settle(dead, { kind: "served" })).toEqual({ kind: "good", sinceMs: NOW });
  expect(settle(dead, quota)).toMatchObject({ kind: "good" });
  expect(settle(dead, { kind: "served" }, true)).toBe(dead);
  expect(settle(dead, { kind: "network", evidence })).toBe(dead);
  expect(keyHealthAfter(dead, { kind: "trial-inconclusive" }, context)).toMatchObject({
    kind: "dead",
    failures: 1,
    trialAtMs: NOW + TRIAL_AGAIN_MS,
  });
});

test("a suspension and a bill are the project's matter, an invalid key is not", () => {
  expect(settle(UNTESTED_KEY, suspended)).toBe(UNTESTED_KEY);
  expect(settle(UNTESTED_KEY, billing)).toBe(UNTESTED_KEY);
  const settled = (outcome: Outcome) =>
    projectStandingAfter(GOOD_STANDING, { kind: "settled", outcome, late: false }, context);
  expect(settled(invalid)).toBe(GOOD_STANDING);
  expect(settled(suspended)).toMatchObject({ kind: "denied", reason: "suspended" });
  expect(settled(billing)).toMatchObject({ kind: "billing", trialAtMs: NOW + DEFAULT_RESTS.billingMs });
});

test("a project comes back by a served trial and never by old news", () => {
  const event = { kind: "settled", outcome: billing, late: false } as const;
  const unpaid = projectStandingAfter(GOOD_STANDING, event, context);
  const served = { kind: "settled", outcome: { kind: "served" } } as const;
  expect(projectStandingAfter(unpaid, { ...served, late: true }, context)).toBe(unpaid);
  expect(projectStandingAfter(unpaid, { ...served, late: false }, context)).toBe(GOOD_STANDING);
});
