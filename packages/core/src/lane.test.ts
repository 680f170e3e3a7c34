import fc from "fast-check";
import { expect, test } from "vitest";
import { QUOTA_MINUTE_UNKNOWN_MS, UNTRIED_LANE, isLaneOpen, laneAfter, laneAlarmMs } from "./lane.ts";
import type { LaneState } from "./lane.ts";
import type { Evidence, Outcome } from "./outcome.ts";
import { DEFAULT_RESTS, TRIAL_AGAIN_MS } from "./rests.ts";

const NOW = 1_700_000_000_000;
const MIDNIGHT = NOW + 10 * 3_600_000;
const evidence: Evidence = { httpStatus: 429, reason: "test", message: "" };
const overloaded: Outcome = { kind: "overloaded", evidence };
const served: Outcome = { kind: "served" };

function quotaMinute(retryAfterMs: number): Outcome {
  return { kind: "quota-minute", retryAfterMs, evidence };
}

function quotaDay(retryAfterMs: number): Outcome {
  return { kind: "quota-day", untilMs: MIDNIGHT, retryAfterMs, evidence };
}

function at(nowMs: number) {
  return { nowMs, rests: DEFAULT_RESTS, random: () => 0.5 };
}

function settle(state: LaneState, outcome: Outcome, late = false, nowMs = NOW): LaneState {
  return laneAfter(state, { kind: "settled", outcome, late }, at(nowMs));
}

test("a minute's quota rests what the upstream asks and a second more, within the bound", () => {
  expect(settle(UNTRIED_LANE, quotaMinute(12_000))).toMatchObject({ untilMs: NOW + 13_000 });
  expect(settle(UNTRIED_LANE, quotaMinute(0))).toMatchObject({ untilMs: NOW + QUOTA_MINUTE_UNKNOWN_MS });
  expect(settle(UNTRIED_LANE, quotaMinute(1e9))).toMatchObject({
    untilMs: NOW + DEFAULT_RESTS.quotaMinuteMaxMs,
  });
});

test("an exhausted day rests to midnight, is tried once when the upstream hints and then now and then", () => {
  const hinted = settle(UNTRIED_LANE, quotaDay(120_000));
  expect(hinted).toMatchObject({ kind: "quota-day", untilMs: MIDNIGHT, trialAtMs: NOW + 120_000 });
  const later = NOW + 120_000;
  const tried = settle(hinted, quotaDay(120_000), false, later);
  expect(tried).toMatchObject({ sinceMs: NOW, trialAtMs: later + DEFAULT_RESTS.quotaDayTrialMs });
  expect(settle(UNTRIED_LANE, quotaDay(2_000))).toMatchObject({ trialAtMs: NOW + 60_000 });
  expect(settle(UNTRIED_LANE, quotaDay(0))).toMatchObject({ trialAtMs: NOW + DEFAULT_RESTS.quotaDayTrialMs });
  expect(laneAlarmMs(hinted, false)).toBe(NOW + 120_000);
  expect(laneAlarmMs(hinted, true)).toBe(MIDNIGHT);
});

test("overloads in a row rest longer, and a success forgets them", () => {
  let state = settle(UNTRIED_LANE, overloaded);
  const restsMs: number[] = [];
  for (let failure = 0; failure < 10; failure++) {
    if (state.kind !== "overloaded") throw new Error(`unexpected ${state.kind}`);
    restsMs.push(state.untilMs - state.sinceMs);
    state = settle(
      laneAfter(state, { kind: "rest-over" }, at(state.untilMs)),
      overloaded,
      false,
      state.untilMs,
    );
  }
  expect(restsMs.slice(0, 4)).toEqual([375, 750, 1500, 3000]);
  expect(Math.max(...restsMs)).toBeLessThanOrEqual(DEFAULT_RESTS.overloadedMaxMs);
  const again = settle(settle(state, served), overloaded);
  expect(again).toMatchObject({ overloads: 1 });
});

test("an overload during the trial of an exhausted lane leaves it exhausted", () => {
  const exhausted = settle(UNTRIED_LANE, quotaDay(0));
  expect(settle(exhausted, overloaded)).toBe(exhausted);
  expect(laneAfter(exhausted, { kind: "trial-inconclusive" }, at(NOW))).toMatchObject({
    kind: "quota-day",
    trialAtMs: NOW + TRIAL_AGAIN_MS,
  });
});

test("old news neither extends nor undoes a rest, but a longer rest with a reason replaces a short one", () => {
  const resting = settle(UNTRIED_LANE, overloaded);
  expect(settle(resting, overloaded, true, NOW + 50)).toBe(resting);
  expect(settle(resting, served, true)).toBe(resting);
  expect(settle(resting, quotaDay(0), true)).toMatchObject({ kind: "quota-day" });
  const exhausted = settle(UNTRIED_LANE, quotaDay(0));
  expect(settle(exhausted, served, true)).toBe(exhausted);
  expect(settle(exhausted, quotaMinute(1_000), true)).toBe(exhausted);
  const back = laneAfter(exhausted, { kind: "rest-over" }, at(MIDNIGHT));
  expect(settle(back, quotaDay(0), true)).toBe(back);
});

test("outcomes that are nobody's or the caller's fault leave every state as it is", () => {
  const harmless: Outcome[] = [
    { kind: "caller-left" },
    { kind: "caller-fault", evidence },
    { kind: "request-over-quota", evidence },
    { kind: "foreign-resource", evidence },
    { kind: "network", evidence },
    { kind: "location", evidence },
  ];
  const states = [
    UNTRIED_LANE,
    ...[overloaded, quotaMinute(1), quotaDay(0), served].map((o) => settle(UNTRIED_LANE, o)),
  ];
  for (const state of states) for (const outcome of harmless) expect(settle(state, outcome)).toBe(state);
});

test("a closed lane always has a moment at which it comes back or is tried, and it is bounded", () => {
  const outcome = fc.constantFrom<Outcome>(
    overloaded,
    served,
    quotaMinute(0),
    quotaMinute(1e12),
    quotaDay(0),
    quotaDay(1e12),
    { kind: "model-unavailable", evidence },
    { kind: "empty", evidence },
    { kind: "network", evidence },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(outcome, fc.boolean(), fc.nat(1e7)), { maxLength: 40 }), (steps) => {
      let [state, nowMs]: [LaneState, number] = [UNTRIED_LANE, NOW];
      for (const [next, late, passedMs] of steps) {
        nowMs += passedMs;
        state = settle(state, next, late, nowMs);
        const alarmMs = laneAlarmMs(state, false);
        expect(alarmMs === undefined).toBe(isLaneOpen(state));
        expect((alarmMs ?? nowMs) - nowMs).toBeLessThanOrEqual(9 * DEFAULT_RESTS.modelUnavailableMs);
      }
    }),
  );
});
