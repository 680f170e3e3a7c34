import { describe, expect, test } from "vitest";
import { LaneQuota } from "./lane-quota.ts";
import type { Charge, QuotaDay } from "./lane-quota.ts";
import type { QuotaLimits } from "./quota-limits.ts";
import { restoreQuota, storedQuotaOf } from "./stored-quota.ts";

const NOW = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const DAY: QuotaDay = { number: 1, endsAtMs: NOW + 8 * HOUR_MS };
const NEXT_DAY: QuotaDay = { number: 2, endsAtMs: DAY.endsAtMs + 24 * HOUR_MS };

function quotaOf(limits: QuotaLimits): LaneQuota {
  return new LaneQuota(limits, NOW - HOUR_MS);
}

function charge(atMs = NOW, tokens = 0): Charge {
  return { atMs, tokens, day: DAY.number };
}

const SERVED = { how: "served", startedAtMs: undefined, promptTokens: undefined } as const;

describe("room", () => {
  test("is taken by what is lent and comes back with what is returned", () => {
    const quota = quotaOf({ requestsPerMinute: 2 });
    quota.lent(charge(), 2, NOW);
    expect(quota.roomAtMs(0, NOW, DAY)).toBeGreaterThan(NOW + 60_000);
    quota.returned(charge(), 1);
    expect(quota.roomAtMs(0, NOW, DAY)).toBe(0);
  });

  test("is taken from the moment the request was sent, however long its answer lasts", () => {
    const quota = quotaOf({ requestsPerMinute: 1 });
    quota.lent(charge(NOW + 1_500), 1, NOW);
    const lentMs = quota.roomAtMs(0, NOW, DAY);
    quota.ended(charge(NOW + 1_500), { ...SERVED, startedAtMs: NOW }, NOW + 50_000);
    expect(quota.roomAtMs(0, NOW + 50_000, DAY)).toBe(lentMs - 1_500);
  });

  test("of tokens is taken by the guess until the answer counts them", () => {
    const quota = quotaOf({ tokensPerMinute: 1_000 });
    quota.lent(charge(NOW, 700), 1, NOW);
    expect(quota.roomAtMs(301, NOW, DAY)).toBeGreaterThan(NOW);
    quota.ended(charge(NOW, 700), { ...SERVED, promptTokens: 400 }, NOW);
    expect(quota.roomAtMs(600, NOW, DAY)).toBe(0);
    expect(quota.roomAtMs(601, NOW, DAY)).toBeGreaterThan(NOW);
  });

  test("for a request larger than the whole limit is an empty minute: the upstream is to judge it", () => {
    const quota = quotaOf({ tokensPerMinute: 1_000 });
    expect(quota.roomAtMs(5_000, NOW, DAY)).toBe(0);
    quota.lent(charge(NOW, 1), 1, NOW);
    expect(quota.roomAtMs(5_000, NOW, DAY)).toBeGreaterThan(NOW);
  });

  test("of a used up day comes with the next", () => {
    const quota = quotaOf({ requestsPerDay: 2 });
    quota.lent(charge(), 2, NOW);
    expect(quota.isDayUsedUp(DAY)).toBe(true);
    expect(quota.roomAtMs(0, NOW, DAY)).toBe(DAY.endsAtMs);
    expect(quota.roomAtMs(0, DAY.endsAtMs, NEXT_DAY)).toBe(0);
  });

  test("is not taken by a request that was refused for its quota", () => {
    const quota = quotaOf({ requestsPerDay: 1, requestsPerMinute: 1 });
    quota.lent(charge(), 1, NOW);
    quota.ended(charge(), { ...SERVED, how: "refused" }, NOW);
    expect(quota.roomAtMs(0, NOW, DAY)).toBe(0);
  });

  test("a use lent yesterday and returned today gives today nothing", () => {
    const quota = quotaOf({ requestsPerDay: 1 });
    quota.lent(charge(), 1, NOW);
    const today: Charge = { atMs: DAY.endsAtMs, tokens: 0, day: NEXT_DAY.number };
    quota.lent(today, 1, NOW);
    quota.returned(charge(), 1);
    expect(quota.isDayUsedUp(NEXT_DAY)).toBe(true);
  });
});

describe("over a restart", () => {
  const used = (): LaneQuota => {
    const quota = quotaOf({});
    quota.lent(charge(), 3, NOW);
    quota.refused(
      [
        { quota: "requestsPerDay", limit: 3 },
        { quota: "requestsPerMinute", limit: 10 },
      ],
      NOW,
    );
    return quota;
  };

  test("limits and what was used of them are kept", () => {
    const stored = JSON.parse(JSON.stringify(storedQuotaOf(used(), NOW, DAY))) as unknown;
    const restored = quotaOf({});
    restoreQuota(restored, stored, NOW + 1_000, { number: 1, endsAtMs: DAY.endsAtMs });
    expect(restored.limits).toEqual({ requestsPerDay: 3, requestsPerMinute: 3 });
    expect(restored.isDayUsedUp(DAY)).toBe(true);
    expect(restored.usedAt(NOW + 1_000, DAY)).toMatchObject({ requestsOfMinute: 3, requestsOfDay: 3 });
  });

  test("yesterday's use and what is too old are not", () => {
    const stored = storedQuotaOf(used(), NOW, DAY);
    const restored = quotaOf({});
    restoreQuota(restored, stored, DAY.endsAtMs + 1, NEXT_DAY);
    expect(restored.usedAt(DAY.endsAtMs + 1, NEXT_DAY)).toMatchObject({
      requestsOfMinute: 0,
      requestsOfDay: 0,
    });
    expect(restored.limits).toEqual({ requestsPerDay: 3 });
    const late = quotaOf({});
    restoreQuota(late, stored, NOW + 8 * 24 * HOUR_MS, { number: 9, endsAtMs: NOW + 9 * 24 * HOUR_MS });
    expect(late.limits).toEqual({});
  });

  test("moments that lie ahead are taken as now, so that nothing is held for longer", () => {
    const restored = quotaOf({ requestsPerMinute: 1 });
    const ahead = NOW + 365 * 24 * HOUR_MS;
    restoreQuota(
      restored,
      {
        learned: { requestsPerDay: { limit: 5, source: "stated", learntAtMs: ahead } },
        minute: { atMs: ahead, requests: 9, tokens: 9 },
        day: { endsAtMs: ahead, requests: 9 },
      },
      NOW,
      DAY,
    );
    expect(restored.learned.requestsPerDay?.learntAtMs).toBe(NOW);
    expect(restored.roomAtMs(0, NOW, DAY)).toBeLessThan(NOW + 62_000);
    expect(restored.usedAt(NOW, DAY).requestsOfDay).toBe(0);
  });

  test.each([
    null,
    7,
    [],
    { learned: 5 },
    { learned: { requestsPerDay: { limit: "9" } } },
    { learned: {}, minute: [], day: "x" },
    { learned: { requestsPerMinute: { limit: -3, learntAtMs: NOW } }, minute: { requests: Number.NaN } },
  ])("%j is nothing", (stored) => {
    const quota = quotaOf({});
    restoreQuota(quota, stored, NOW, DAY);
    expect(quota.limits).toEqual({});
    expect(quota.usedAt(NOW, DAY)).toEqual({ requestsOfMinute: 0, tokensOfMinute: 0, requestsOfDay: 0 });
  });
});

test("a lane without limits, which nobody asks what it has used, remembers no more than the last minute", () => {
  const quota = quotaOf({});
  let most = 0;
  for (let nowMs = NOW; nowMs < NOW + 3_600_000; nowMs += 500) {
    const lent = charge(nowMs + 5_000, 10);
    quota.lent(lent, 1, nowMs);
    quota.ended(lent, { how: "served", startedAtMs: nowMs, promptTokens: 10 }, nowMs);
    most = Math.max(most, quota.moments);
  }
  expect(most).toBeLessThanOrEqual(2 * 66 * 2);
});
