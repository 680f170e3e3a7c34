/**
 * What is believed of a lane's limits: taken from refusals, corrected by successes, forgotten in time. Pure: what was
 * observed goes in, the next belief comes out. Run by the scheduler (primary thread).
 */
import { QUOTA_NAMES } from "./quota-limits.ts";
import type { QuotaFact, QuotaLimits, QuotaName } from "./quota-limits.ts";

export interface LearnedLimit {
  /** At least 1. */
  readonly limit: number;
  /** `stated`: the upstream named it. `counted`: it refused without a figure, or long before the one it names. */
  readonly source: "stated" | "counted";
  /** Milliseconds since the epoch. */
  readonly learntAtMs: number;
}

export type LearnedLimits = { readonly [Name in QuotaName]?: LearnedLimit };

/** What one lane has used, as far as its own counts go. */
export interface CountedUse {
  /** Requests and tokens of the last minute without the one that was refused. */
  readonly requestsOfMinute: number;
  readonly tokensOfMinute: number;
  readonly requestsOfDay: number;
  /** The counts reach back over a whole minute. */
  readonly isMinuteWhole: boolean;
}

/** What one lane got served. */
export interface CountedSuccess {
  /** In the minute in which it now counts. */
  readonly requestsOfMinute: number;
  readonly requestsOfDay: number;
}

/** A limit that the upstream stated is believed this long: tiers change seldom, and the next refusal states it again. */
export const STATED_LIMIT_MS = 7 * 86_400_000;
/** One we counted ourselves: others may use the same quota now and not in an hour. */
export const COUNTED_LIMIT_MS = 3_600_000;
/** A refusal at less than this part of the stated limit shows that others use the quota too, or that requests weigh more. */
const SHARED_BELOW = 0.8;
/** In any sixty seconds an upstream that counts clock minutes serves up to twice its limit, and never more. */
const MINUTES_TOUCHED = 2;

export const NOTHING_LEARNED: LearnedLimits = {};

/** The beliefs after a refusal; the same object when it said nothing of a quota. */
export function learnFromRefusal(
  learned: LearnedLimits,
  facts: readonly QuotaFact[],
  used: CountedUse,
  nowMs: number,
): LearnedLimits {
  const news = facts.flatMap((fact): [QuotaName, LearnedLimit][] => {
    const limit = limitFrom(fact, used, nowMs);
    return limit === undefined ? [] : [[fact.quota, limit]];
  });
  return news.length === 0 ? learned : { ...learned, ...(Object.fromEntries(news) as LearnedLimits) };
}

/** The beliefs after a success: one that says less than was served is raised if we counted it, dropped if it was stated. */
export function learnFromSuccess(learned: LearnedLimits, served: CountedSuccess): LearnedLimits {
  const { requestsPerMinute: ofMinute, requestsPerDay: ofDay } = learned;
  let next = learned;
  if (ofMinute !== undefined && served.requestsOfMinute > ofMinute.limit * MINUTES_TOUCHED) {
    next = without(next, "requestsPerMinute");
  } else if (ofMinute?.source === "counted" && served.requestsOfMinute > ofMinute.limit) {
    next = { ...next, requestsPerMinute: { ...ofMinute, limit: served.requestsOfMinute } };
  }
  return ofDay !== undefined && served.requestsOfDay > ofDay.limit ? without(next, "requestsPerDay") : next;
}

/** The limits in force: what the operator configured, else what is believed and not too old. */
export function limitsInForce(learned: LearnedLimits, configured: QuotaLimits, nowMs: number): QuotaLimits {
  const limits: { -readonly [Name in QuotaName]?: number } = {};
  for (const name of QUOTA_NAMES) {
    const limit = configured[name] ?? believed(learned[name], nowMs);
    if (limit !== undefined) limits[name] = limit;
  }
  return limits;
}

/** When the next of the beliefs is forgotten; undefined when there is none. Milliseconds since the epoch. */
export function nextForgottenMs(learned: LearnedLimits): number | undefined {
  const ends = QUOTA_NAMES.flatMap((name) => {
    const belief = learned[name];
    return belief === undefined ? [] : [forgottenMs(belief)];
  });
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** The beliefs that are not too old, none from the future; the same object when all are kept. */
export function stillBelieved(learned: LearnedLimits, nowMs: number): LearnedLimits {
  let next = learned;
  for (const name of QUOTA_NAMES) {
    if (learned[name] !== undefined && believed(learned[name], nowMs) === undefined)
      next = without(next, name);
  }
  return next;
}

function limitFrom(
  { quota, limit }: QuotaFact,
  used: CountedUse,
  learntAtMs: number,
): LearnedLimit | undefined {
  const counted = Math.floor(countOf(quota, used));
  if (limit === undefined) {
    return counted < 1 ? undefined : { limit: counted, source: "counted", learntAtMs };
  }
  // Of a token quota the refused request itself may be the larger part: a low count shows nothing there.
  const isShared = quota === "requestsPerMinute" && used.isMinuteWhole && counted < limit * SHARED_BELOW;
  if (isShared) return { limit: Math.max(counted, 1), source: "counted", learntAtMs };
  return { limit, source: "stated", learntAtMs };
}

function countOf(quota: QuotaName, used: CountedUse): number {
  switch (quota) {
    case "requestsPerMinute":
      return used.requestsOfMinute;
    case "tokensPerMinute":
      return used.tokensOfMinute;
    case "requestsPerDay":
      return used.requestsOfDay;
  }
}

function believed(belief: LearnedLimit | undefined, nowMs: number): number | undefined {
  return belief !== undefined && nowMs < forgottenMs(belief) ? belief.limit : undefined;
}

function forgottenMs({ source, learntAtMs }: LearnedLimit): number {
  return learntAtMs + (source === "stated" ? STATED_LIMIT_MS : COUNTED_LIMIT_MS);
}

function without(learned: LearnedLimits, name: QuotaName): LearnedLimits {
  const { [name]: _dropped, ...rest } = learned;
  return rest;
}
