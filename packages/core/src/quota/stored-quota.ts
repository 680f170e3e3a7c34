/**
 * What of a lane's quota is kept over a restart, and how it is read back: nothing that was stored is trusted.
 * Pure; primary thread.
 */
import type { LaneQuota, QuotaDay } from "./lane-quota.ts";
import type { LearnedLimit, LearnedLimits } from "./learned-limits.ts";
import { QUOTA_NAMES } from "./quota-limits.ts";

/** All moments in milliseconds since the epoch. */
export interface StoredQuota {
  readonly learned: LearnedLimits;
  /** The last minute's use as if all of it had been at its end. */
  readonly minute?: { readonly atMs: number; readonly requests: number; readonly tokens: number };
  readonly day?: { readonly endsAtMs: number; readonly requests: number };
}

/** Two readings of the same day's end may differ by this. */
const CLOCK_DRIFT_MS = 60_000;

/** Undefined when there is nothing worth keeping: as long as no limit is known, what was used does not matter. */
export function storedQuotaOf(
  quota: LaneQuota | undefined,
  nowMs: number,
  day: QuotaDay,
): StoredQuota | undefined {
  if (quota === undefined || !quota.isLimited) return undefined;
  const { requestsOfMinute, tokensOfMinute, requestsOfDay } = quota.usedAt(nowMs, day);
  const atMs = quota.newestUseMs;
  return {
    learned: quota.learned,
    ...(atMs === undefined || requestsOfMinute === 0
      ? {}
      : { minute: { atMs, requests: requestsOfMinute, tokens: tokensOfMinute } }),
    ...(requestsOfDay === 0 ? {} : { day: { endsAtMs: day.endsAtMs, requests: requestsOfDay } }),
  };
}

/** Gives the lane back what an earlier run, or another lane of the same project, knew. Never throws. */
export function restoreQuota(quota: LaneQuota, stored: unknown, nowMs: number, today: QuotaDay): void {
  if (!isRecord(stored)) return;
  const { minute, day } = stored;
  const used = isRecord(minute)
    ? // A moment ahead was written under another clock.
      {
        atMs: Math.min(count(minute["atMs"]), nowMs),
        requests: count(minute["requests"]),
        tokens: count(minute["tokens"]),
      }
    : undefined;
  const endsAtMs = isRecord(day) ? count(day["endsAtMs"]) : 0;
  const isToday = endsAtMs > nowMs && endsAtMs <= today.endsAtMs + CLOCK_DRIFT_MS;
  quota.absorb(
    learnedFrom(stored["learned"], nowMs),
    used,
    isToday && isRecord(day) ? { day: today.number, requests: count(day["requests"]) } : undefined,
    nowMs,
  );
}

function learnedFrom(stored: unknown, nowMs: number): LearnedLimits {
  if (!isRecord(stored)) return {};
  return Object.fromEntries(
    QUOTA_NAMES.flatMap((name) => {
      const limit = limitFrom(stored[name], nowMs);
      return limit === undefined ? [] : [[name, limit]];
    }),
  );
}

function limitFrom(stored: unknown, nowMs: number): LearnedLimit | undefined {
  if (!isRecord(stored)) return undefined;
  const limit = count(stored["limit"]);
  const source = stored["source"] === "stated" ? "stated" : "counted";
  if (limit < 1) return undefined;
  return { limit, source, learntAtMs: Math.min(count(stored["learntAtMs"]), nowMs) };
}

function count(value: unknown): number {
  return typeof value === "number" && value >= 0 ? Math.min(value, Number.MAX_SAFE_INTEGER) : 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
