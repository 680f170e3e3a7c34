/**
 * When a key is tested again on a model, by the outcome of its last test. Pure; run by the primary.
 */
import type { Outcome, OutcomeKind } from "../outcome.ts";

/** All in milliseconds, all above 0. */
export interface ProbeIntervals {
  /** After a success, of a test or of a client's request. */
  readonly servedMs: number;
  /** After a 403, and the longest wait after any refusal. */
  readonly forbiddenMs: number;
  /** After any other refusal; doubles while it repeats. */
  readonly clientErrorMs: number;
  /** After a failure of Google's own. */
  readonly serverErrorMs: number;
  /** After a fault of our own network; doubles while it repeats, up to `serverErrorMs`. */
  readonly networkMs: number;
  /** After a client's request failed: at most this long. */
  readonly afterFailureMs: number;
}

export const DEFAULT_PROBE_INTERVALS: ProbeIntervals = {
  servedMs: 12 * 3_600_000,
  forbiddenMs: 10 * 86_400_000,
  clientErrorMs: 86_400_000,
  serverErrorMs: 600_000,
  networkMs: 60_000,
  afterFailureMs: 300_000,
};

/** Waits are shortened by up to this share, so that what was tested together is not tested together for ever. */
const SPREAD = 0.1;
/** A returning quota is given this share of its wait more, and this long at least: never too early. */
const RETURN_SPREAD = 0.1;
const RETURN_MARGIN_MS = 1_000;
const RETURN_SPREAD_MAX_MS = 1_800_000;
/** Rest for a minute's quota when the upstream did not say how long. */
const QUOTA_MINUTE_UNKNOWN_MS = 60_000;
const DOUBLINGS_MAX = 3;

/** Which of the waits an outcome calls for. */
export type WaitKind = "served" | "forbidden" | "client-error" | "server-error" | "network" | "quota";

/** Undefined for an outcome that no test can have, or that says nothing. */
export function waitKindOf(outcome: Outcome): WaitKind {
  switch (outcome.kind) {
    case "served":
      return "served";
    case "quota-minute":
    case "quota-day":
      return "quota";
    case "overloaded":
    case "empty":
    case "broken":
      return "server-error";
    case "network":
    case "location":
    case "caller-left":
      return "network";
    case "caller-fault":
    case "key-dead":
    case "key-misconfigured":
    case "billing":
    case "model-unavailable":
    case "request-over-quota":
    case "foreign-resource":
      return waitKindOfStatus(outcome.evidence.httpStatus);
  }
}

/** What it takes to say when the next test is. */
export interface WaitContext {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly intervals: ProbeIntervals;
  /** A number in [0, 1). */
  readonly random: number;
}

/**
 * Moment of the next test, milliseconds since the epoch.
 * @param repeats tests in a row with this kind of outcome, this one included; 1 for the first.
 */
export function nextTestMs(outcome: Outcome, repeats: number, context: WaitContext): number {
  const { nowMs, intervals, random } = context;
  const kind = waitKindOf(outcome);
  if (kind === "quota") return afterReturnMs(quotaReturnMs(outcome, nowMs), context);
  return nowMs + shortened(waitMs(kind, repeats, intervals), random);
}

/** Moment of the test after a client's request failed; never later than one planned already. */
export function pulledForwardMs({ nowMs, intervals, random }: WaitContext): number {
  return nowMs + shortened(intervals.afterFailureMs, random);
}

/** Soon after something returns by itself at `returnMs`, spread, and never before. */
export function afterReturnMs(returnMs: number, { nowMs, random }: WaitContext): number {
  const leftMs = Math.max(returnMs - nowMs, 0);
  const spreadMs = Math.min(Math.max(leftMs * RETURN_SPREAD, RETURN_MARGIN_MS), RETURN_SPREAD_MAX_MS);
  return nowMs + leftMs + Math.ceil(RETURN_MARGIN_MS + spreadMs * random);
}

/** True for outcomes that condemn the key or its project, so that no other model needs to be asked. */
export function condemnsKey(kind: OutcomeKind): boolean {
  return kind === "key-dead" || kind === "key-misconfigured" || kind === "billing";
}

function waitKindOfStatus(httpStatus: number): WaitKind {
  if (httpStatus === 403) return "forbidden";
  return httpStatus >= 500 ? "server-error" : "client-error";
}

function waitMs(kind: Exclude<WaitKind, "quota">, repeats: number, intervals: ProbeIntervals): number {
  const growth = 2 ** Math.min(Math.max(repeats - 1, 0), DOUBLINGS_MAX);
  switch (kind) {
    case "served":
      return intervals.servedMs;
    case "forbidden":
      return intervals.forbiddenMs;
    case "client-error":
      return bounded(intervals.clientErrorMs, growth, intervals.forbiddenMs);
    case "server-error":
      return intervals.serverErrorMs;
    case "network":
      return bounded(intervals.networkMs, growth, intervals.serverErrorMs);
  }
}

/** Never less than the first wait, whatever the operator chose for the longest. */
function bounded(firstMs: number, growth: number, longestMs: number): number {
  return Math.max(firstMs, Math.min(firstMs * growth, longestMs));
}

function shortened(waitingMs: number, random: number): number {
  return Math.ceil(waitingMs * (1 - SPREAD * random));
}

function quotaReturnMs(outcome: Outcome, nowMs: number): number {
  if (outcome.kind === "quota-day") return outcome.untilMs;
  const askedMs = outcome.kind === "quota-minute" ? outcome.retryAfterMs : 0;
  return nowMs + (askedMs > 0 ? askedMs : QUOTA_MINUTE_UNKNOWN_MS);
}
