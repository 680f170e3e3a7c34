/** Requests that are bound to one project, or would rather stay with one: what they are lent, and what they hear. */
import { describe, expect, it, test } from "vitest";
import type { Denial, Lease, LeaseWish } from "../src/lease.ts";
import type { Outcome } from "../src/outcome.ts";
import { DEFAULT_SCHEDULER_OPTIONS } from "../src/scheduler/options.ts";
import { Scheduler } from "../src/scheduler/scheduler.ts";
import {
  BILLING,
  DENIED,
  HOUR_MS,
  INVALID,
  keysWithoutProject,
  leaseOne,
  NOW,
  OVERLOADED,
  proveAll,
  QUOTA_DAY,
  QUOTA_MINUTE,
  schedulerOf,
  SERVED,
  settle,
  tryLease,
  UNAVAILABLE,
} from "./scheduler-driver.ts";

const RESTS = DEFAULT_SCHEDULER_OPTIONS.rests;

function bound(scheduler: Scheduler, nowMs: number, wish: Partial<LeaseWish> = {}): readonly Lease[] {
  return tryLease(scheduler, nowMs, { onlyProjectOf: 1, ...wish });
}

function denied(scheduler: Scheduler, nowMs: number, wish: Partial<LeaseWish> = {}): Denial {
  const answer = scheduler.lease(1, { model: "m", uses: 1, onlyProjectOf: 1, ...wish }, nowMs);
  scheduler.checkInvariants();
  if ("leases" in answer) throw new Error("it was lent");
  return answer.denial;
}

/** A pool of ten projects in which the bound one has just had this outcome. */
function after(outcome: Outcome): Scheduler {
  const scheduler = schedulerOf(keysWithoutProject(10));
  proveAll(scheduler, 10);
  const [lease] = bound(scheduler, NOW);
  settle(scheduler, lease as Lease, outcome, NOW);
  return scheduler;
}

describe("a bound request", () => {
  it("gets a key of its project, whatever its lane has been through or not", () => {
    const scheduler = schedulerOf(["a", "b", "a", "c"]);
    const keys = Array.from({ length: 6 }, () => bound(scheduler, NOW, { uses: 5 })).flat();
    expect(keys.map(({ keyId }) => keyId)).toEqual([1, 3, 1, 3, 1, 3]);
    expect(new Set(keys.map(({ projectId }) => projectId)).size).toBe(1);
    expect(keys.every(({ uses }) => uses === 1)).toBe(true);
    const [other] = bound(scheduler, NOW, { onlyProjectOf: 4 });
    expect(other?.keyId).toBe(4);
    expect(other?.projectId).not.toBe(keys[0]?.projectId);
  });

  it("counts as load of its project for everybody else", () => {
    const scheduler = schedulerOf(keysWithoutProject(3));
    proveAll(scheduler, 3);
    for (let request = 0; request < 2; request++) expect(bound(scheduler, NOW)).toHaveLength(1);
    const others = Array.from({ length: 4 }, () => leaseOne(scheduler, NOW).keyId);
    expect(others).toEqual([2, 3, 2, 3]);
  });

  it("waits while its project does as much as it may, though others are idle", () => {
    const scheduler = schedulerOf(keysWithoutProject(3), { projectConcurrencyMax: 1 });
    const [lease] = bound(scheduler, NOW);
    expect(denied(scheduler, NOW)).toEqual({ reason: "busy", scope: "owner" });
    settle(scheduler, lease as Lease, SERVED, NOW);
    expect(bound(scheduler, NOW)).toHaveLength(1);
  });

  it("is paced with its project", () => {
    const quotas = new Map([["m", { requestsPerMinute: 2 }]]);
    const scheduler = schedulerOf(keysWithoutProject(3), { quotas });
    const leases = [...bound(scheduler, NOW), ...bound(scheduler, NOW)];
    expect(leases).toHaveLength(2);
    const denial = denied(scheduler, NOW);
    expect(denial).toMatchObject({ reason: "quota", scope: "owner" });
    expect(denial.usableAtMs).toBe(denial.retryAtMs);
    expect(denial.retryAtMs).toBeGreaterThan(NOW);
    expect(bound(scheduler, denial.retryAtMs as number)).toHaveLength(1);
  });

  it("that is too large for what its project may still use hears when there is room", () => {
    const quotas = new Map([["m", { tokensPerMinute: 1_000 }]]);
    const scheduler = schedulerOf(keysWithoutProject(3), { quotas });
    expect(bound(scheduler, NOW, { tokens: 600 })).toHaveLength(1);
    const denial = denied(scheduler, NOW, { tokens: 600 });
    expect(denial).toMatchObject({ reason: "quota", scope: "owner", tokensFrom: 600 });
    expect(bound(scheduler, NOW, { tokens: 300 })).toHaveLength(1);
    expect(bound(scheduler, denial.retryAtMs as number, { tokens: 600 })).toHaveLength(1);
  });

  it.each<readonly [string, Outcome, Denial]>([
    [
      "quota of the minute",
      QUOTA_MINUTE,
      { reason: "quota", retryAtMs: NOW + 11_000, usableAtMs: NOW + 11_000 },
    ],
    [
      "quota of the day",
      QUOTA_DAY,
      { reason: "quota", retryAtMs: NOW + 8 * HOUR_MS, usableAtMs: NOW + 8 * HOUR_MS },
    ],
    [
      "a closed model",
      UNAVAILABLE,
      { reason: "model-unavailable", retryAtMs: NOW + RESTS.modelUnavailableMs },
    ],
    ["a dead key", INVALID, { reason: "out-of-service", retryAtMs: NOW + RESTS.keyDeadMs }],
    ["a denied project", DENIED, { reason: "out-of-service", retryAtMs: NOW + RESTS.keyDeadMs }],
    ["billing", BILLING, { reason: "billing", retryAtMs: NOW + RESTS.billingMs }],
  ])("hears of %s of its project, and when that may be over", (_what, outcome, expected) => {
    const scheduler = after(outcome);
    expect(tryLease(scheduler, NOW)).toHaveLength(1);
    const denial = denied(scheduler, NOW + 1);
    expect(denial).toEqual({ ...expected, scope: "owner" });
    expect(bound(scheduler, denial.retryAtMs as number)).toHaveLength(1);
  });

  it("tries its overloaded project with one use at a time, and not when it has failed before", () => {
    const scheduler = after(OVERLOADED);
    const [trial] = bound(scheduler, NOW + 1);
    expect(trial?.keyId).toBe(1);
    const denial = denied(scheduler, NOW + 1);
    expect(denial).toMatchObject({ reason: "resting", scope: "owner" });
    settle(scheduler, trial as Lease, OVERLOADED, NOW + 2);
    const retry = denied(scheduler, NOW + 3, { excludedKeys: [1] });
    expect(retry.usableAtMs).toBeGreaterThan(NOW + 3);
    // The rest is over: the key that failed is as good as any.
    expect(bound(scheduler, retry.usableAtMs as number, { excludedKeys: [1] })[0]?.keyId).toBe(1);
  });

  it("prefers keys of its project that it has not tried", () => {
    const scheduler = schedulerOf(["a", "a", "b"]);
    for (let request = 0; request < 4; request++) {
      expect(bound(scheduler, NOW, { excludedKeys: [1] })[0]?.keyId).toBe(2);
    }
    const both = { excludedKeys: [1, 2], excludedProjectsOf: [1] };
    expect(bound(scheduler, NOW, both)[0]?.keyId).toBe(1);
  });

  it("leaves the trials of keys and projects to the health tests when there are any", () => {
    const scheduler = after(BILLING);
    scheduler.tests.areOnlyTrials = true;
    expect(denied(scheduler, NOW + RESTS.billingMs).reason).toBe("billing");
    scheduler.tests.areOnlyTrials = false;
    expect(bound(scheduler, NOW + RESTS.billingMs)).toHaveLength(1);
    expect(denied(scheduler, NOW + RESTS.billingMs).reason).toBe("billing");
  });

  it("tries its project only on a model that would work if the project did", () => {
    const scheduler = schedulerOf(keysWithoutProject(3), { projectConcurrencyMax: 1 });
    const [blocking] = bound(scheduler, NOW, { model: "full" });
    const [failing] = bound(scheduler, NOW);
    settle(scheduler, failing as Lease, BILLING, NOW);
    const dueAtMs = NOW + RESTS.billingMs;
    expect(denied(scheduler, dueAtMs, { model: "full" })).toMatchObject({
      reason: "billing",
      retryAtMs: dueAtMs,
    });
    const [trial] = bound(scheduler, dueAtMs);
    expect(trial?.keyId).toBe(1);
    settle(scheduler, blocking as Lease, SERVED, dueAtMs);
    // The trial is out: one at a time, on whatever model.
    expect(denied(scheduler, dueAtMs, { model: "full" }).reason).toBe("billing");
    settle(scheduler, trial as Lease, SERVED, dueAtMs);
    expect(bound(scheduler, dueAtMs, { model: "full" })).toHaveLength(1);
  });

  it("gets its project back when its rest is over, however many others' are at that moment", () => {
    const scheduler = schedulerOf(keysWithoutProject(300));
    const refused = { ...QUOTA_DAY, untilMs: NOW + HOUR_MS } as const;
    for (let key = 1; key <= 300; key++) {
      const [lease] = bound(scheduler, NOW, { onlyProjectOf: key });
      settle(scheduler, lease as Lease, refused, NOW);
    }
    expect(denied(scheduler, NOW + HOUR_MS - 1, { onlyProjectOf: 150 }).reason).toBe("quota");
    expect(bound(scheduler, NOW + HOUR_MS, { onlyProjectOf: 150 })[0]?.keyId).toBe(150);
  });

  it("finds the one key among many whose trial is due", () => {
    const scheduler = schedulerOf(Array.from({ length: 200 }, () => "a"));
    for (let key = 0; key < 200; key++) {
      const [lease] = bound(scheduler, NOW + key);
      settle(scheduler, lease as Lease, INVALID, NOW + key);
    }
    expect(denied(scheduler, NOW + 200).reason).toBe("out-of-service");
    // Only the first key's trial is due then; a wish looks at 64 keys.
    const dueAtMs = NOW + RESTS.keyDeadMs;
    const lent = Array.from({ length: 32 }, () => bound(scheduler, dueAtMs)).flat();
    expect(lent.map(({ keyId }) => keyId)).toEqual([1]);
  });

  it("is told that its owner is gone when no key of the project is in use", () => {
    const scheduler = schedulerOf(["a", "b", "a"]);
    const gone = { reason: "owner-gone", scope: "owner" };
    expect(denied(scheduler, NOW, { onlyProjectOf: 99 })).toEqual(gone);
    scheduler.setEnabled(1, false, NOW);
    expect(bound(scheduler, NOW)[0]?.keyId).toBe(3);
    scheduler.setEnabled(3, false, NOW);
    expect(denied(scheduler, NOW)).toEqual(gone);
    scheduler.setEnabled(3, true, NOW);
    scheduler.retireKeys([1], NOW);
    expect(denied(scheduler, NOW)).toEqual(gone);
    expect(scheduler.owners.keyOfProject("a")).toBe(3);
    expect(bound(scheduler, NOW, { onlyProjectOf: 3 })[0]?.keyId).toBe(3);
  });

  it("follows a key that turns out to be of another project", () => {
    const scheduler = schedulerOf([undefined, undefined, undefined]);
    scheduler.assignProject(1, "shared");
    scheduler.assignProject(2, "shared");
    scheduler.setEnabled(1, false, NOW);
    expect(bound(scheduler, NOW)[0]?.keyId).toBe(2);
    expect(scheduler.owners.siblingsOf(1, 8)).toEqual([1, 2]);
    expect(scheduler.owners.siblingsOf(1, 1)).toEqual([1]);
    expect(scheduler.owners.projectIdOf(1)).toBe(scheduler.owners.projectIdOf(2));
    expect([1, 3, 99].map((id) => scheduler.owners.namedProjectOf(id))).toEqual([
      "shared",
      undefined,
      undefined,
    ]);
  });
});

describe("a request that prefers a project", () => {
  const preferring = (
    scheduler: Scheduler,
    nowMs: number,
    wish: Partial<LeaseWish> = {},
  ): number | undefined => tryLease(scheduler, nowMs, { preferProjectOf: 1, ...wish })[0]?.keyId;

  it("stays with it while it can be lent, and goes elsewhere when not", () => {
    const scheduler = schedulerOf(keysWithoutProject(5));
    const keys = Array.from({ length: 4 }, () => preferring(scheduler, NOW));
    expect(keys).toEqual([1, 1, 1, 1]);
    const [lease] = bound(scheduler, NOW);
    settle(scheduler, lease as Lease, QUOTA_MINUTE, NOW);
    expect(preferring(scheduler, NOW)).not.toBe(1);
    expect(preferring(scheduler, NOW + 11_000)).toBe(1);
  });

  it("never tries what is out of service for its sake, nor what it has tried", () => {
    const scheduler = after(OVERLOADED);
    expect(preferring(scheduler, NOW + 1)).not.toBe(1);
    expect(preferring(after(SERVED), NOW + 1, { excludedKeys: [1] })).not.toBe(1);
    const siblings = schedulerOf(["a", "a", "b"]);
    expect(preferring(siblings, NOW, { excludedKeys: [1] })).toBe(2);
    expect(preferring(siblings, NOW, { excludedKeys: [1], excludedProjectsOf: [1] })).toBe(3);
    expect(preferring(siblings, NOW, { preferProjectOf: 99 })).toBeDefined();
  });

  it("hears of the whole pool when nothing can be lent", () => {
    const scheduler = schedulerOf(keysWithoutProject(2), { projectConcurrencyMax: 1 });
    expect([preferring(scheduler, NOW), preferring(scheduler, NOW)]).toEqual([1, 2]);
    const wish = { model: "m", uses: 1, preferProjectOf: 1 };
    expect(scheduler.lease(1, wish, NOW)).toEqual({ denial: { reason: "busy" } });
  });
});

test("a bound wish costs no more with 20,000 keys, in the pool or in the project, than with 20", () => {
  const timed = (keys: number, project: string | undefined): number => {
    const scheduler = new Scheduler(DEFAULT_SCHEDULER_OPTIONS, () => 0.5);
    scheduler.addKeys(Array.from({ length: keys }, (_, index) => ({ id: index + 1, project })));
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round++) {
      const startMs = performance.now();
      for (let request = 0; request < 2_000; request++) {
        const wish = { model: "m", uses: 1, onlyProjectOf: 1 + ((request * 37) % keys) };
        const answer = scheduler.lease(1, wish, NOW + request);
        if ("denial" in answer) throw new Error("denied");
        const outcome = request % 3 === 0 ? { kind: "caller-left" as const } : SERVED;
        scheduler.settle({ leaseId: answer.leases[0]?.id as number, outcome }, NOW + request);
      }
      best = Math.min(best, performance.now() - startMs);
    }
    return best;
  };
  // Caches cost a factor of a few, and a busy machine more; a walk would cost a thousand.
  expect(timed(20_000, undefined) / timed(20, undefined)).toBeLessThan(100);
  expect(timed(20_000, "a") / timed(20, "a")).toBeLessThan(100);
});
