import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { QuotaSpec } from "./project-spec.ts";
import { QuotaBuckets } from "./quota-buckets.ts";

const START_MS = Date.parse("2026-11-23T20:00:00Z");
const MINUTE_MS = 60_000;

const limits = fc.record(
  {
    rpm: fc.integer({ min: 1, max: 5 }),
    tpm: fc.integer({ min: 1, max: 50 }),
    rpd: fc.integer({ min: 1, max: 9 }),
  },
  { requiredKeys: [] },
);
const arrivals = fc.array(
  fc.record({ waitMs: fc.integer({ min: 0, max: 40_000 }), tokens: fc.integer({ min: 0, max: 20 }) }),
  { maxLength: 40 },
);

/** Requests and tokens that were let through, by minute, and the delays that the others were told. */
function run(quota: QuotaSpec, calls: readonly { readonly waitMs: number; readonly tokens: number }[]) {
  const buckets = new QuotaBuckets();
  const delaysMs: number[] = [];
  const minutes = new Map<number, { requests: number; tokens: number }>();
  let nowMs = START_MS;
  for (const { waitMs, tokens } of calls) {
    nowMs += waitMs;
    const verdict = buckets.charge({ project: "p", model: "m", limits: quota, requests: 1, tokens }, nowMs);
    if (verdict.kind === "exceeded") {
      delaysMs.push(verdict.retryDelayMs);
      continue;
    }
    const minute = Math.floor(nowMs / MINUTE_MS);
    const sum = minutes.get(minute) ?? { requests: 0, tokens: 0 };
    minutes.set(minute, { requests: sum.requests + 1, tokens: sum.tokens + tokens });
  }
  return { minutes: [...minutes.values()], delaysMs };
}

describe("quota buckets", () => {
  it("never let through more than a minute's or the day's limit", () => {
    fc.assert(
      fc.property(limits, arrivals, (quota, calls) => {
        const { minutes, delaysMs } = run(quota, calls);
        expect(delaysMs.every((delayMs) => delayMs > 0 && delayMs <= MINUTE_MS)).toBe(true);
        for (const { requests, tokens } of minutes) {
          expect(requests).toBeLessThanOrEqual(quota.rpm ?? Infinity);
          expect(tokens).toBeLessThanOrEqual(quota.tpm ?? Infinity);
        }
        // Forty waits of forty seconds stay within one Pacific day.
        const ofDay = minutes.reduce((sum, { requests }) => sum + requests, 0);
        expect(ofDay).toBeLessThanOrEqual(quota.rpd ?? Infinity);
      }),
    );
  });

  it("let everything through without limits", () => {
    fc.assert(
      fc.property(arrivals, (calls) => {
        const served = run({}, calls).minutes.reduce((sum, { requests }) => sum + requests, 0);
        expect(served).toBe(calls.length);
      }),
    );
  });

  it("name every bucket that has no room, the day first", () => {
    const buckets = new QuotaBuckets();
    const charge = { project: "p", model: "m", limits: { rpm: 1, tpm: 3, rpd: 1 }, requests: 1, tokens: 2 };
    buckets.charge(charge, START_MS);
    expect(buckets.charge(charge, START_MS + 1000)).toEqual({
      kind: "exceeded",
      retryDelayMs: 59_000,
      violations: [
        { dimension: "rpd", limit: 1 },
        { dimension: "rpm", limit: 1 },
        { dimension: "tpm", limit: 3 },
      ],
    });
  });
});
