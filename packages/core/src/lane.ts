/**
 * A lane is one project on one model: the thing Google counts quota for. This is the state machine of a lane.
 * Run by the scheduler (primary thread). Pure: what was observed goes in, the next state comes out.
 */
import { jitteredBackoffMs, trialDelayMs } from "./backoff.ts";
import type { Evidence, Outcome } from "./outcome.ts";
import { TRIAL_AGAIN_MS } from "./rests.ts";
import type { SettledEvent, TransitionContext } from "./rests.ts";

/** Moments in milliseconds since the epoch. */
export type LaneState =
  /** Never settled anything that says whether it works. */
  | { readonly kind: "untried" }
  | { readonly kind: "proven"; readonly sinceMs: number }
  /** A rest has ended and nothing was proven since; `overloads` in a row decide the length of the next rest. */
  | { readonly kind: "recovering"; readonly sinceMs: number; readonly overloads: number }
  | {
      readonly kind: "overloaded";
      readonly sinceMs: number;
      readonly untilMs: number;
      readonly overloads: number;
      readonly evidence: Evidence;
    }
  | {
      readonly kind: "quota-minute";
      readonly sinceMs: number;
      readonly untilMs: number;
      readonly evidence: Evidence;
    }
  | {
      readonly kind: "quota-day";
      readonly sinceMs: number;
      readonly untilMs: number;
      /** From here on one use may find out whether the quota is back already. */
      readonly trialAtMs: number;
      readonly evidence: Evidence;
    }
  /** The model is not open to the project; only a trial can bring it back. */
  | {
      readonly kind: "unavailable";
      readonly sinceMs: number;
      readonly trialAtMs: number;
      readonly failures: number;
      readonly evidence: Evidence;
    };

export type LaneKind = LaneState["kind"];

export type LaneEvent =
  | SettledEvent<Outcome>
  | { readonly kind: "rest-over" }
  /** The one trial use ended without saying anything about the lane. */
  | { readonly kind: "trial-inconclusive" };

export const UNTRIED_LANE: LaneState = { kind: "untried" };

/** Rest for a minute's quota when the upstream did not say how long. */
export const QUOTA_MINUTE_UNKNOWN_MS = 60_000;
/** Added to the upstream's own figure: its clock and ours differ, and a second lost is cheaper than another 429. */
const QUOTA_MINUTE_MARGIN_MS = 1_000;
/** An exhausted day is never tried again sooner, whatever the upstream's RetryInfo says. */
const QUOTA_DAY_TRIAL_MIN_MS = 60_000;

/** Greater means: says more about the lane. Late news may only replace something that says less. */
const WEIGHT: Readonly<Record<LaneKind, number>> = {
  untried: 0,
  proven: 0,
  recovering: 0,
  overloaded: 1,
  "quota-minute": 2,
  "quota-day": 3,
  unavailable: 4,
};

/** True when the lane may serve ordinary traffic. */
export function isLaneOpen(state: LaneState): boolean {
  return WEIGHT[state.kind] === 0;
}

/** The next state; the same object when nothing changed. */
export function laneAfter(state: LaneState, event: LaneEvent, context: TransitionContext): LaneState {
  switch (event.kind) {
    case "rest-over":
      return afterRest(state, context.nowMs);
    case "trial-inconclusive":
      if (state.kind !== "quota-day" && state.kind !== "unavailable") return state;
      return { ...state, trialAtMs: context.nowMs + TRIAL_AGAIN_MS };
    case "settled":
      return event.late
        ? afterLate(state, event.outcome, context)
        : afterOutcome(state, event.outcome, context);
  }
}

/** When something happens to the lane by itself: its rest ends or its trial falls due. Undefined when nothing will. */
export function laneAlarmMs(state: LaneState, isTrialDue: boolean): number | undefined {
  switch (state.kind) {
    case "untried":
    case "proven":
    case "recovering":
      return undefined;
    case "overloaded":
    case "quota-minute":
      return state.untilMs;
    case "quota-day":
      return isTrialDue ? state.untilMs : Math.min(state.trialAtMs, state.untilMs);
    case "unavailable":
      return isTrialDue ? undefined : state.trialAtMs;
  }
}

/** When the lane opens by itself; undefined when it is open, or when nothing but a trial can open it. */
export function laneReturnMs(state: LaneState): number | undefined {
  return "untilMs" in state ? state.untilMs : undefined;
}

function afterRest(state: LaneState, nowMs: number): LaneState {
  switch (state.kind) {
    case "overloaded":
      return { kind: "recovering", sinceMs: nowMs, overloads: state.overloads };
    case "quota-minute":
    case "quota-day":
      return { kind: "recovering", sinceMs: nowMs, overloads: 0 };
    case "untried":
    case "proven":
    case "recovering":
    case "unavailable":
      return state;
  }
}

/**
 * News of a use lent before the lane last changed. Ten concurrent failures are one failure, and a success that began
 * before a rest says nothing about it; but a short rest gives way to a longer one that the upstream gave a reason for.
 */
function afterLate(state: LaneState, outcome: Outcome, context: TransitionContext): LaneState {
  if (isLaneOpen(state) || outcome.kind === "served") return state;
  const next = afterOutcome(state, outcome, context);
  return WEIGHT[next.kind] > WEIGHT[state.kind] ? next : state;
}

function afterOutcome(state: LaneState, outcome: Outcome, context: TransitionContext): LaneState {
  switch (outcome.kind) {
    case "served":
      return state.kind === "proven" ? state : { kind: "proven", sinceMs: context.nowMs };
    case "quota-minute":
      return quotaMinute(outcome.retryAfterMs, outcome.evidence, context);
    case "quota-day":
      return quotaDay(state, outcome, context);
    case "model-unavailable":
      return unavailable(state, outcome.evidence, context);
    case "overloaded":
    case "empty":
    case "broken":
      return overloaded(state, outcome.evidence, context);
    case "key-dead":
    case "key-misconfigured":
    case "billing":
    case "caller-fault":
    case "caller-left":
    case "request-over-quota":
    case "foreign-resource":
    case "network":
    case "location":
      return state;
  }
}

function quotaMinute(
  retryAfterMs: number,
  evidence: Evidence,
  { nowMs, rests }: TransitionContext,
): LaneState {
  const askedMs = retryAfterMs > 0 ? retryAfterMs + QUOTA_MINUTE_MARGIN_MS : QUOTA_MINUTE_UNKNOWN_MS;
  const untilMs = nowMs + Math.min(askedMs, rests.quotaMinuteMaxMs);
  return { kind: "quota-minute", sinceMs: nowMs, untilMs, evidence };
}

function quotaDay(
  state: LaneState,
  outcome: Extract<Outcome, { kind: "quota-day" }>,
  { nowMs, rests }: TransitionContext,
): LaneState {
  const isTrialFailed = state.kind === "quota-day";
  const hintMs = Math.max(outcome.retryAfterMs, QUOTA_DAY_TRIAL_MIN_MS);
  const trialInMs =
    isTrialFailed || outcome.retryAfterMs <= 0
      ? rests.quotaDayTrialMs
      : Math.min(hintMs, rests.quotaDayTrialMs);
  return {
    kind: "quota-day",
    sinceMs: isTrialFailed ? state.sinceMs : nowMs,
    untilMs: outcome.untilMs,
    trialAtMs: nowMs + trialInMs,
    evidence: outcome.evidence,
  };
}

function unavailable(
  state: LaneState,
  evidence: Evidence,
  { nowMs, rests, random }: TransitionContext,
): LaneState {
  const before = state.kind === "unavailable" ? state : undefined;
  const failures = (before?.failures ?? 0) + 1;
  const trialAtMs = nowMs + trialDelayMs(failures, rests.modelUnavailableMs, random());
  return { kind: "unavailable", sinceMs: before?.sinceMs ?? nowMs, trialAtMs, failures, evidence };
}

function overloaded(
  state: LaneState,
  evidence: Evidence,
  { nowMs, rests, random }: TransitionContext,
): LaneState {
  // A trial of an exhausted or closed lane that met an overload learnt nothing: the weightier state stays.
  if (WEIGHT[state.kind] > WEIGHT.overloaded) return state;
  const before = state.kind === "overloaded" || state.kind === "recovering" ? state.overloads : 0;
  const overloads = before + 1;
  const restMs = jitteredBackoffMs(overloads, rests.overloadedMinMs, rests.overloadedMaxMs, random());
  return { kind: "overloaded", sinceMs: nowMs, untilMs: nowMs + restMs, overloads, evidence };
}
