/** Several uses of one key at a time: where, how many, and what ends it. */
import { expect, test } from "vitest";
import type { Lease } from "../src/lease.ts";
import type { Scheduler } from "../src/scheduler/scheduler.ts";
import { keysWithoutProject, NOW, QUOTA_MINUTE, schedulerOf, SERVED, tryLease } from "./scheduler-driver.ts";

const KEYS = 500;
const WISH = { uses: 128, inAdvance: 128 };

/** Serves so many requests one after another, so many milliseconds apart; the moment of the last one. */
function traffic(scheduler: Scheduler, requests: number, apartMs: number, fromMs = NOW): number {
  let nowMs = fromMs;
  for (let request = 0; request < requests; request++, nowMs += apartMs) {
    const answer = scheduler.lease(1, { model: "m", uses: 1 }, nowMs);
    if (!("leases" in answer)) throw new Error("nothing was lent");
    for (const { id } of answer.leases) scheduler.settle({ leaseId: id, outcome: SERVED }, nowMs);
  }
  return nowMs;
}

function usesOf(leases: readonly Lease[]): number[] {
  return leases.map(({ uses }) => uses).toSorted((one, other) => other - one);
}

function sum(uses: readonly number[]): number {
  return uses.reduce((total, each) => total + each, 0);
}

function giveBackAll(scheduler: Scheduler, leases: readonly Lease[], nowMs: number): void {
  for (const { id, uses } of leases) scheduler.giveBack({ leaseId: id, uses }, nowMs);
}

/** Keys known to serve (all of {@link KEYS}), at a thousand requests a second and more. */
function busyPool(
  options: Parameters<typeof schedulerOf>[1] = {},
  keys = KEYS,
): { scheduler: Scheduler; nowMs: number } {
  const scheduler = schedulerOf(keysWithoutProject(keys), options);
  const knownMs = traffic(scheduler, KEYS * 4, 5);
  return { scheduler, nowMs: traffic(scheduler, 2_000, 0.5, knownMs) };
}

test("at a thousand requests a second what is lent for later is lent eight uses of a key at a time", () => {
  const { scheduler, nowMs } = busyPool();
  expect(usesOf(tryLease(scheduler, nowMs, WISH))).toEqual(Array.from({ length: 16 }, () => 8));
});

test("what somebody waits for is spread over as many keys as there are, at any load", () => {
  const { scheduler, nowMs } = busyPool();
  expect(usesOf(tryLease(scheduler, nowMs, { uses: 128 }))).toEqual(Array.from({ length: 128 }, () => 1));
  expect(usesOf(tryLease(scheduler, nowMs, { uses: 128, inAdvance: 64 }))).toEqual([
    ...Array.from({ length: 8 }, () => 8),
    ...Array.from({ length: 64 }, () => 1),
  ]);
});

test("with less to do every use is of another key, and bursts that were end by themselves", () => {
  const { scheduler, nowMs } = busyPool();
  const laterMs = traffic(scheduler, 256 * 4, 5, nowMs);
  expect(usesOf(tryLease(scheduler, laterMs, WISH))).toEqual(Array.from({ length: 128 }, () => 1));
});

test("one in sixteen uses still finds out a key never tried, and is one use", () => {
  const scheduler = schedulerOf(keysWithoutProject(KEYS * 10));
  const nowMs = traffic(scheduler, KEYS * 6, 0.5);
  const uses = usesOf(tryLease(scheduler, nowMs, WISH));
  expect(sum(uses)).toBe(128);
  expect(uses.filter((each) => each === 1)).toHaveLength(8);
  expect(uses).toHaveLength(8 + 15);
});

test("one in sixty-four at four thousand requests a second, where that many a second are found out all the same", () => {
  const scheduler = schedulerOf(keysWithoutProject(KEYS * 10));
  const nowMs = traffic(scheduler, KEYS * 6, 0.25);
  const uses = usesOf(tryLease(scheduler, nowMs, WISH));
  expect(sum(uses)).toBe(128);
  expect(uses.filter((each) => each === 1)).toHaveLength(2);
  const slowerMs = traffic(scheduler, 512, 0.5, nowMs);
  expect(usesOf(tryLease(scheduler, slowerMs, WISH)).filter((each) => each === 1)).toHaveLength(8);
});

test("a refusal for a minute's quota ends the bursts of its model for ten minutes", () => {
  const { scheduler, nowMs } = busyPool();
  const [lease] = tryLease(scheduler, nowMs, WISH);
  scheduler.settle({ leaseId: lease?.id as number, outcome: QUOTA_MINUTE }, nowMs);
  expect(Math.max(...usesOf(tryLease(scheduler, nowMs, WISH)))).toBe(1);
  const stillMs = traffic(scheduler, 2_000, 0.5, nowMs + 500_000);
  expect(Math.max(...usesOf(tryLease(scheduler, stillMs, WISH)))).toBe(1);
  const againMs = traffic(scheduler, 2_000, 0.5, nowMs + 600_000);
  expect(Math.max(...usesOf(tryLease(scheduler, againMs, WISH)))).toBe(8);
});

test("no burst takes more than the half of a known limit that may be lent in advance", () => {
  for (const [limit, most] of [
    [{ requestsPerMinute: 10 }, 5],
    [{ requestsPerMinute: 3 }, 2],
    [{ requestsPerDay: 8 }, 4],
    [{ tokensPerMinute: 6_000 }, 3],
  ] as const) {
    const options = { quotas: new Map([["m", limit]]), quotaDayEndMs: dayEnd };
    const { scheduler, nowMs } = busyPool(options, 4 * KEYS);
    // A minute and a day later nothing of what was used counts.
    const laterMs = nowMs + 90_000_000;
    const uses = usesOf(tryLease(scheduler, laterMs, { ...WISH, tokens: 1_000 }));
    expect(Math.max(...uses)).toBe(most);
    expect(sum(uses)).toBe(128);
  }
});

test("a burst is spread again over other keys when they have been lent, and its uses balance", () => {
  const { scheduler, nowMs } = busyPool({ projectConcurrencyMax: 12 });
  const first = tryLease(scheduler, nowMs, WISH);
  const second = tryLease(scheduler, nowMs, WISH);
  const keys = new Set([...first, ...second].map(({ keyId }) => keyId));
  expect(keys.size).toBe(first.length + second.length);
  giveBackAll(scheduler, [...first, ...second], nowMs);
  scheduler.checkInvariants();
  expect(scheduler.inFlight).toBe(0);
});

function dayEnd(nowMs: number): number {
  return (Math.floor(nowMs / 86_400_000) + 1) * 86_400_000;
}
