/** What each outcome does to a key, a project and a lane, and how each comes back. */
import { expect, test } from "vitest";
import type { Lease } from "../src/lease.ts";
import { DEFAULT_RESTS } from "../src/rests.ts";
import {
  NOW,
  HOUR_MS,
  SERVED,
  OVERLOADED,
  QUOTA_MINUTE,
  QUOTA_DAY,
  INVALID,
  DENIED,
  BILLING,
  UNAVAILABLE,
  NETWORK,
  schedulerOf,
  tryLease,
  leaseOne,
  settle,
  serve,
  proveAll,
} from "./scheduler-driver.ts";

test("a minute's quota rests the project on that model only, for every key of it", () => {
  const scheduler = schedulerOf(["a", "a"]);
  serve(scheduler, NOW, QUOTA_MINUTE);
  expect(scheduler.denialFor("m", NOW)).toEqual({ reason: "quota", retryAtMs: NOW + 11_000 });
  expect(tryLease(scheduler, NOW + 10_999)).toEqual([]);
  serve(scheduler, NOW + 10_999, SERVED, "other");
  serve(scheduler, NOW + 11_000);
});

test("an exhausted day is tried by one use at a time until the quota returns", () => {
  const scheduler = schedulerOf([undefined]);
  serve(scheduler, NOW, QUOTA_DAY);
  expect(tryLease(scheduler, NOW + HOUR_MS - 1)).toEqual([]);
  const trial = tryLease(scheduler, NOW + HOUR_MS, { uses: 10 });
  expect(trial.map(({ uses }) => uses)).toEqual([1]);
  expect(tryLease(scheduler, NOW + HOUR_MS)).toEqual([]);
  settle(scheduler, trial[0] as Lease, QUOTA_DAY, NOW + HOUR_MS + 1);
  expect(tryLease(scheduler, NOW + HOUR_MS + 2)).toEqual([]);
  serve(scheduler, NOW + 2 * HOUR_MS + 1);
  expect(tryLease(scheduler, NOW + 2 * HOUR_MS + 2, { uses: 10 })[0]?.uses).toBe(10);
});

test("an exhausted day is told to return at midnight, not at its next trial", () => {
  const scheduler = schedulerOf([undefined, undefined]);
  for (let key = 0; key < 2; key++) serve(scheduler, NOW, QUOTA_DAY);
  expect(scheduler.denialFor("m", NOW)).toEqual({ reason: "quota", retryAtMs: NOW + 8 * HOUR_MS });
});

test("a retry is told when a key it has not tried returns, and nothing when all that return were tried", () => {
  const scheduler = schedulerOf([undefined, undefined]);
  const [first, second] = [leaseOne(scheduler, NOW), leaseOne(scheduler, NOW)];
  settle(scheduler, first, OVERLOADED, NOW);
  settle(scheduler, second, QUOTA_MINUTE, NOW);
  const after = (...excludedKeys: readonly number[]): unknown =>
    scheduler.lease(1, { model: "m", uses: 1, excludedKeys }, NOW);
  const resting = { reason: "quota", retryAtMs: NOW + 375 };
  expect(after(second.keyId)).toEqual({ denial: { ...resting, usableAtMs: NOW + 375 } });
  expect(after(first.keyId)).toEqual({ denial: { ...resting, usableAtMs: NOW + 11_000 } });
  expect(after(first.keyId, second.keyId)).toEqual({ denial: resting });
});

test("an exhausted day ends at the upstream's midnight without a trial", () => {
  const scheduler = schedulerOf([undefined], { rests: { ...DEFAULT_RESTS, quotaDayTrialMs: 100 * HOUR_MS } });
  serve(scheduler, NOW, QUOTA_DAY);
  expect(tryLease(scheduler, NOW + 8 * HOUR_MS - 1)).toEqual([]);
  expect(tryLease(scheduler, NOW + 8 * HOUR_MS, { uses: 3 })[0]?.uses).toBe(3);
});

test("a trial given back unused is due again at once, and one that proved nothing a little later", () => {
  const scheduler = schedulerOf([undefined]);
  serve(scheduler, NOW, INVALID);
  const due = NOW + 2 * DEFAULT_RESTS.keyDeadMs;
  const unused = leaseOne(scheduler, due);
  scheduler.giveBack({ leaseId: unused.id, uses: 1 }, due);
  settle(scheduler, leaseOne(scheduler, due), NETWORK, due);
  expect(tryLease(scheduler, due + 29_999)).toEqual([]);
  serve(scheduler, due + 30_000);
  expect(scheduler.keyView(1, due)?.health.kind).toBe("good");
});

test("a dead key is out for every model until its one trial, which no retry gets", () => {
  const scheduler = schedulerOf([undefined, undefined]);
  const dead = serve(scheduler, NOW, INVALID);
  const due = NOW + 2 * DEFAULT_RESTS.keyDeadMs;
  const other = leaseOne(scheduler, due);
  expect(tryLease(scheduler, due, { excludedKeys: [other.keyId] })).toEqual([]);
  settle(scheduler, other, SERVED, due);
  const keys = Array.from({ length: 32 }, (_, request) => serve(scheduler, due + request, SERVED, "m"));
  expect(keys.indexOf(dead)).toBeGreaterThan(0);
});

test("a bill and a denial take the whole project out, and one served trial brings it back", () => {
  for (const outcome of [BILLING, DENIED]) {
    const scheduler = schedulerOf(["a", "a", "a"]);
    serve(scheduler, NOW, outcome);
    expect(tryLease(scheduler, NOW + 1)).toEqual([]);
    expect(scheduler.readiness(NOW + 1).isReady).toBe(false);
    expect(scheduler.denialFor("m", NOW).reason).toBe(
      outcome.kind === "billing" ? "billing" : "out-of-service",
    );
    const due = scheduler.denialFor("m", NOW).retryAtMs as number;
    const trial = tryLease(scheduler, due, { uses: 8 });
    expect(trial.map(({ uses }) => uses)).toEqual([1]);
    settle(scheduler, trial[0] as Lease, SERVED, due);
    expect(tryLease(scheduler, due, { uses: 9 })).toHaveLength(3);
  }
});

test("a project whose keys all died after its bill comes back by one use that tries both", () => {
  const scheduler = schedulerOf(["a"]);
  const [first, second] = tryLease(scheduler, NOW, { uses: 1 }).concat(tryLease(scheduler, NOW, { uses: 1 }));
  settle(scheduler, first as Lease, BILLING, NOW);
  settle(scheduler, second as Lease, INVALID, NOW);
  const due = NOW + 2 * DEFAULT_RESTS.keyDeadMs;
  expect(tryLease(scheduler, due, { uses: 4 })).toHaveLength(1);
  expect(tryLease(scheduler, due)).toEqual([]);
});

test("a model not open to a project does not touch its other models", () => {
  const scheduler = schedulerOf(["a"]);
  serve(scheduler, NOW, UNAVAILABLE);
  expect(scheduler.denialFor("m", NOW).reason).toBe("model-unavailable");
  serve(scheduler, NOW, SERVED, "other");
  expect(tryLease(scheduler, NOW + 2 * DEFAULT_RESTS.modelUnavailableMs)).toHaveLength(1);
});

test("ten concurrent overloads are one failure", () => {
  const scheduler = schedulerOf([undefined, undefined]);
  proveAll(scheduler, 2);
  const leases = tryLease(scheduler, NOW, { uses: 20 });
  const [lease] = leases as [Lease];
  for (let failure = 0; failure < 10; failure++) settle(scheduler, lease, OVERLOADED, NOW + failure * 10);
  expect(scheduler.keyView(lease.keyId, NOW)?.lanes[0]?.state).toMatchObject({
    kind: "overloaded",
    overloads: 1,
    untilMs: NOW + 375,
  });
});

test("a success that began before a quota rest does not end it", () => {
  const scheduler = schedulerOf([undefined]);
  const lease = tryLease(scheduler, NOW, { uses: 2 })[0] as Lease;
  settle(scheduler, lease, QUOTA_MINUTE, NOW);
  settle(scheduler, lease, SERVED, NOW + 1);
  expect(tryLease(scheduler, NOW + 2)).toEqual([]);
});

test("when every lane is overloaded, one use per lane still finds out when it is over", () => {
  const scheduler = schedulerOf([undefined]);
  let nowMs = NOW;
  for (let request = 0; request < 20; request++) serve(scheduler, nowMs++, OVERLOADED);
  const denial = scheduler.denialFor("m", nowMs);
  expect(denial.reason).toBe("resting");
  expect((denial.retryAtMs as number) - nowMs).toBeLessThanOrEqual(2_000);
  const trial = leaseOne(scheduler, nowMs);
  expect(tryLease(scheduler, nowMs)).toEqual([]);
  settle(scheduler, trial, SERVED, nowMs);
  expect(tryLease(scheduler, nowMs, { uses: 5 })[0]?.uses).toBe(5);
});
