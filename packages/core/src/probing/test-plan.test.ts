import { describe, expect, it } from "vitest";
import type { Evidence, Outcome } from "../outcome.ts";
import { DEFAULT_PROBE_INTERVALS } from "./intervals.ts";
import { FIRST_TEST_SPREAD_MS, KEY_ITSELF, LEARNT_MODELS_MAX, TestPlan } from "./test-plan.ts";

const NOW = 1_700_000_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const PAIR = { keyId: 1, model: "m" };
const evidence: Evidence = { httpStatus: 400, reason: "", message: "" };
const SERVED: Outcome = { kind: "served" };
const INVALID: Outcome = { kind: "key-dead", reason: "invalid", evidence };
const OVERLOADED: Outcome = { kind: "overloaded", evidence: { ...evidence, httpStatus: 503 } };
const NETWORK: Outcome = { kind: "network", evidence: { ...evidence, httpStatus: 0 } };

function planOf(keys: number, models: readonly string[] = ["m"]): TestPlan {
  const plan = new TestPlan({ models, intervals: DEFAULT_PROBE_INTERVALS }, () => 0.5);
  plan.addKeys(
    Array.from({ length: keys }, (_, index) => index + 1),
    NOW,
  );
  return plan;
}

function dueOf(plan: TestPlan, nowMs: number): string[] {
  return plan.takeDue(nowMs, 1_000, 1_000_000).map(({ keyId, model }) => `${keyId} ${model}`);
}

function waitOf(plan: TestPlan, nowMs: number, model = "m"): number {
  return (plan.pair(1, model)?.dueAtMs ?? Number.NaN) - nowMs;
}

it("tests each key on each model within the first minute, once", () => {
  const plan = planOf(2, ["m", "n"]);
  expect(dueOf(plan, NOW)).toEqual([]);
  expect(dueOf(plan, NOW + FIRST_TEST_SPREAD_MS).toSorted()).toEqual(["1 m", "1 n", "2 m", "2 n"]);
  expect(dueOf(plan, NOW + FIRST_TEST_SPREAD_MS)).toEqual([]);
});

it("never tests a busy key: a success at least every few hours is enough, for ever", () => {
  const plan = planOf(1);
  for (let nowMs = NOW; nowMs < NOW + 60 * DAY_MS; nowMs += 3 * HOUR_MS) {
    plan.served(PAIR, nowMs);
    expect(dueOf(plan, nowMs + 3 * HOUR_MS - 1)).toEqual([]);
  }
  expect(dueOf(plan, NOW + 61 * DAY_MS)).toEqual(["1 m"]);
});

describe("a failure in traffic", () => {
  it("pulls the test of the model forward to five minutes at most, and a success pushes it back", () => {
    const plan = planOf(1);
    plan.served(PAIR, NOW);
    plan.failed(PAIR, OVERLOADED, NOW);
    expect(waitOf(plan, NOW)).toBeLessThanOrEqual(5 * MINUTE_MS);
    plan.failed(PAIR, OVERLOADED, NOW + MINUTE_MS);
    expect(waitOf(plan, NOW), "and is not put off by another").toBeLessThanOrEqual(5 * MINUTE_MS);
    plan.served(PAIR, NOW + MINUTE_MS);
    expect(waitOf(plan, NOW)).toBeGreaterThan(10 * HOUR_MS);
  });

  it("of the key itself is tested once for all its models", () => {
    const plan = planOf(1, ["m", "n"]);
    plan.failed(PAIR, INVALID, NOW);
    expect(waitOf(plan, NOW, KEY_ITSELF)).toBeLessThanOrEqual(5 * MINUTE_MS);
    plan.tested({ keyId: 1, model: KEY_ITSELF }, INVALID, NOW);
    expect(waitOf(plan, NOW, KEY_ITSELF)).toBeGreaterThan(21 * HOUR_MS);
    plan.tested({ keyId: 1, model: KEY_ITSELF }, SERVED, NOW + DAY_MS);
    expect(dueOf(plan, NOW + DAY_MS + FIRST_TEST_SPREAD_MS), "back: its models follow").toEqual([
      "1 m",
      "1 n",
    ]);
  });

  it.each([["together"], ["one after the other"]])(
    "of the key, met by tests of several models %s, is one failure: the next test is a day later, not four",
    (order) => {
      const plan = planOf(1, ["m", "n", "o"]);
      const stepMs = order === "together" ? 0 : 1_000;
      for (const [index, model] of ["m", "n", "o"].entries())
        plan.tested({ keyId: 1, model }, INVALID, NOW + index * stepMs);
      expect(plan.pair(1, KEY_ITSELF)).toMatchObject({ outcome: "key-dead", repeats: 1 });
      expect(waitOf(plan, NOW, KEY_ITSELF)).toBeLessThanOrEqual(DAY_MS);
      plan.tested({ keyId: 1, model: KEY_ITSELF }, INVALID, NOW + DAY_MS);
      expect(waitOf(plan, NOW + DAY_MS, KEY_ITSELF), "its own next test counts").toBeGreaterThan(DAY_MS);
    },
  );

  it.each<Outcome>([
    { kind: "caller-fault", evidence },
    { kind: "caller-left" },
    { kind: "request-over-quota", evidence },
    { kind: "foreign-resource", evidence },
    NETWORK,
  ])("that says nothing of key or model changes nothing: %o", (outcome) => {
    const plan = planOf(1);
    plan.served(PAIR, NOW);
    const before = plan.pair(1, "m");
    plan.failed(PAIR, outcome, NOW + 1);
    expect(plan.pair(1, "m")).toEqual(before);
    expect(waitOf(plan, NOW, KEY_ITSELF)).toBe(Number.POSITIVE_INFINITY);
  });

  it("of the day's quota waits for midnight", () => {
    const plan = planOf(1);
    plan.failed(PAIR, { kind: "quota-day", untilMs: NOW + 9 * HOUR_MS, retryAfterMs: 0, evidence }, NOW);
    expect(dueOf(plan, NOW + 9 * HOUR_MS)).toEqual([]);
    expect(dueOf(plan, NOW + 10 * HOUR_MS)).toEqual(["1 m"]);
  });
});

it("learns models that clients use with success, a few, without haste, and no other names", () => {
  const plan = planOf(2);
  plan.served({ keyId: 1, model: "new-model" }, NOW);
  plan.served({ keyId: 1, model: "new-model:countTokens" }, NOW);
  plan.served({ keyId: 1, model: KEY_ITSELF }, NOW);
  plan.failed({ keyId: 1, model: "typo" }, OVERLOADED, NOW);
  expect(plan.models).toEqual(["m", "new-model"]);
  expect(plan.pair(2, "new-model")?.dueAtMs).toBe(NOW + 6 * HOUR_MS);
  for (let index = 0; index < 100; index++) plan.served({ keyId: 1, model: `m-${index}` }, NOW);
  expect(plan.models).toHaveLength(1 + LEARNT_MODELS_MAX);
});

it("learns a model of many keys in little work, and spreads their tests all the same", () => {
  let drawn = 0;
  const plan = new TestPlan({ models: [], intervals: DEFAULT_PROBE_INTERVALS }, () => (drawn++ % 997) / 997);
  const keys = Array.from({ length: 100_000 }, (_, index) => index + 1);
  plan.addKeys(keys, NOW);
  plan.served({ keyId: 50_000, model: "new-model" }, NOW);
  expect(drawn, "not once a key").toBeLessThan(2_000);
  const due = plan.takeDue(NOW + 6 * HOUR_MS, 200_000, 1_000_000);
  expect(due.length, "half of them in the first half of the span").toBeGreaterThan(49_000);
  expect(due.length).toBeLessThan(51_000);
});

it("keeps its plan over a restart, spreads what fell due meanwhile, and believes no clock of another age", () => {
  const plan = planOf(3);
  plan.tested(PAIR, SERVED, NOW);
  plan.tested({ keyId: 2, model: "m" }, OVERLOADED, NOW);
  plan.tested({ keyId: 3, model: "m" }, INVALID, NOW);
  const stored = plan.takeDirty(100);
  expect(plan.takeDirty(100)).toEqual([]);
  const restarted = planOf(3);
  const laterMs = NOW + HOUR_MS;
  restarted.restore(stored, laterMs);
  expect(restarted.pair(1, "m")).toEqual(plan.pair(1, "m"));
  expect(waitOf(restarted, NOW)).toBe(waitOf(plan, NOW));
  expect(restarted.pair(2, "m")?.dueAtMs).toBe(laterMs + FIRST_TEST_SPREAD_MS / 2);
  expect(restarted.pair(3, KEY_ITSELF)?.outcome).toBe("key-dead");
  const ancient = planOf(1);
  ancient.restore(stored, NOW - 1_000 * DAY_MS);
  expect(waitOf(ancient, NOW - 1_000 * DAY_MS)).toBeLessThanOrEqual(10 * DAY_MS);
});

it("forgets keys, and takes new ones into their places", () => {
  const plan = planOf(2);
  plan.tested(PAIR, SERVED, NOW);
  plan.removeKeys([1]);
  plan.tested(PAIR, SERVED, NOW);
  expect(plan.pair(1, "m")).toBeUndefined();
  plan.addKeys([9], NOW);
  expect(plan.pair(9, "m")).toMatchObject({ outcome: "untested", atMs: 0 });
  expect(dueOf(plan, NOW + DAY_MS).toSorted()).toEqual(["2 m", "9 m"]);
  expect(plan.takeDirty(10)).toEqual([]);
});
