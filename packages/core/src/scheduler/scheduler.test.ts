import { expect, test } from "vitest";
import type { KeyId, Lease, LeaseWish } from "../lease.ts";
import type { Evidence, Outcome } from "../outcome.ts";
import { DEFAULT_RESTS } from "../rests.ts";
import { DEFAULT_SCHEDULER_OPTIONS, MODELS_MAX } from "./options.ts";
import type { SchedulerOptions } from "./options.ts";
import { Scheduler } from "./scheduler.ts";

const NOW = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const evidence: Evidence = { httpStatus: 503, reason: "test", message: "" };
const SERVED: Outcome = { kind: "served" };
const OVERLOADED: Outcome = { kind: "overloaded", evidence };
const QUOTA_MINUTE: Outcome = { kind: "quota-minute", retryAfterMs: 10_000, evidence };
const QUOTA_DAY: Outcome = { kind: "quota-day", untilMs: NOW + 8 * HOUR_MS, retryAfterMs: 0, evidence };
const INVALID: Outcome = { kind: "key-dead", reason: "invalid", evidence };
const DENIED: Outcome = { kind: "key-dead", reason: "denied", evidence };
const BILLING: Outcome = { kind: "billing", evidence };
const UNAVAILABLE: Outcome = { kind: "model-unavailable", evidence };
const NETWORK: Outcome = { kind: "network", evidence };

function schedulerOf(projects: readonly (string | undefined)[], options: Partial<SchedulerOptions> = {}): Scheduler {
  const scheduler = new Scheduler({ ...DEFAULT_SCHEDULER_OPTIONS, ...options }, () => 0.5);
  scheduler.addKeys(projects.map((project, index) => ({ id: index + 1, project })));
  return scheduler;
}

function keysWithoutProject(count: number): undefined[] {
  return Array.from({ length: count }, () => undefined);
}

function tryLease(scheduler: Scheduler, nowMs: number, wish: Partial<LeaseWish> = {}): readonly Lease[] {
  const answer = scheduler.lease(1, { model: "m", uses: 1, ...wish }, nowMs);
  scheduler.checkInvariants();
  return "leases" in answer ? answer.leases : [];
}

function leaseOne(scheduler: Scheduler, nowMs: number, wish: Partial<LeaseWish> = {}): Lease {
  const [lease] = tryLease(scheduler, nowMs, wish);
  if (lease === undefined) throw new Error(`denied: ${JSON.stringify(scheduler.denialFor("m", nowMs))}`);
  return lease;
}

function settle(scheduler: Scheduler, lease: Lease, outcome: Outcome, nowMs: number) {
  const { revoked } = scheduler.settle({ leaseId: lease.id, outcome }, nowMs);
  scheduler.checkInvariants();
  return revoked;
}

/** One request with one attempt; the key that served it. */
function serve(scheduler: Scheduler, nowMs: number, outcome = SERVED, model = "m"): KeyId {
  const lease = leaseOne(scheduler, nowMs, { model });
  settle(scheduler, lease, outcome, nowMs);
  return lease.keyId;
}

function proveAll(scheduler: Scheduler, keys: number): void {
  const leases = tryLease(scheduler, NOW, { uses: keys });
  expect(leases.length).toBe(keys);
  for (const lease of leases) settle(scheduler, lease, SERVED, NOW);
}

test("an empty pool denies for want of keys, and a key added is lent", () => {
  const scheduler = schedulerOf([]);
  expect(scheduler.lease(1, { model: "m", uses: 1 }, NOW)).toEqual({ denial: { reason: "no-keys" } });
  expect(scheduler.readiness(NOW).isReady).toBe(false);
  scheduler.addKeys([{ id: 7, project: undefined }]);
  expect(leaseOne(scheduler, NOW).keyId).toBe(7);
  expect(scheduler.readiness(NOW)).toEqual({ isReady: true, keys: 1, availableKeys: 1 });
});

test("load spreads evenly over known projects, and within a project over its keys", () => {
  const scheduler = schedulerOf(["a", "a", "b", "b", "b", "b"]);
  proveAll(scheduler, 2);
  const served = new Map<KeyId, number>();
  for (let request = 0; request < 80; request++) {
    const key = serve(scheduler, NOW + request);
    served.set(key, (served.get(key) ?? 0) + 1);
  }
  const count = (...keys: KeyId[]) => keys.map((key) => served.get(key));
  expect(count(1, 2)).toEqual([20, 20]);
  expect(count(3, 4, 5, 6)).toEqual([10, 10, 10, 10]);
});

test("a wish for many uses takes one of each idle key, and several of each when keys are few", () => {
  const many = schedulerOf(keysWithoutProject(20));
  expect(tryLease(many, NOW, { uses: 16 }).map(({ uses }) => uses)).toEqual(Array.from({ length: 16 }, () => 1));
  const few = schedulerOf(keysWithoutProject(3));
  const leases = tryLease(few, NOW, { uses: 12 });
  expect(leases.map(({ uses }) => uses)).toEqual([4, 4, 4]);
});

test("the least loaded key is chosen before the one used longest ago", () => {
  const scheduler = schedulerOf(keysWithoutProject(3));
  proveAll(scheduler, 3);
  const busy = leaseOne(scheduler, NOW + 1);
  for (let request = 0; request < 20; request++) expect(serve(scheduler, NOW + 2)).not.toBe(busy.keyId);
});

test("a proven key is preferred, and unknown ones are found out by a share of first attempts", () => {
  const scheduler = schedulerOf(keysWithoutProject(100));
  const first = serve(scheduler, NOW);
  const keys = Array.from({ length: 40 }, (_, request) => serve(scheduler, NOW + request));
  const explored = new Set(keys).size - 1;
  expect(keys[0]).toBe(first);
  expect(explored).toBe(10);
});

test("no project gets more uses in flight than its limit, over keys, batches and models apart", () => {
  const scheduler = schedulerOf(["a", "a", "a"], { projectConcurrencyMax: 2 });
  expect(tryLease(scheduler, NOW, { uses: 10 }).reduce((sum, { uses }) => sum + uses, 0)).toBe(2);
  expect(scheduler.lease(1, { model: "m", uses: 1 }, NOW)).toEqual({ denial: { reason: "busy" } });
  expect(tryLease(scheduler, NOW, { uses: 10, model: "other" })).toHaveLength(2);
});

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
    expect(scheduler.denialFor("m", NOW).reason).toBe(outcome.kind === "billing" ? "billing" : "out-of-service");
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

test("unused uses of a lane that rests come back from every holder", () => {
  const scheduler = schedulerOf([undefined]);
  const answers = [1, 2, 3].map((holder) => scheduler.lease(holder, { model: "m", uses: 4 }, NOW));
  const [first, second, third] = answers.map((answer) => ("leases" in answer ? answer.leases[0] : undefined));
  const revoked = settle(scheduler, first as Lease, QUOTA_MINUTE, NOW);
  expect(revoked).toEqual([
    { holder: 3, leaseId: third?.id },
    { holder: 2, leaseId: second?.id },
    { holder: 1, leaseId: first?.id },
  ]);
  expect(settle(scheduler, second as Lease, QUOTA_MINUTE, NOW)).toEqual([]);
  for (const leaseId of [first?.id, second?.id, third?.id]) {
    scheduler.giveBack({ leaseId: leaseId as number, uses: 4 }, NOW);
  }
  expect(scheduler.inFlight).toBe(0);
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

test("a retry goes to the lane that served last, never to a key or project it has tried", () => {
  const scheduler = schedulerOf(["b", "c", "a", "a"]);
  proveAll(scheduler, 3);
  const last = serve(scheduler, NOW);
  expect(last).toBe(1);
  const again = leaseOne(scheduler, NOW, { excludedKeys: [99] });
  expect(again.keyId).toBe(last);
  const tried: KeyId[] = [last];
  for (let retry = 0; retry < 3; retry++) {
    const lease = leaseOne(scheduler, NOW, { excludedKeys: tried });
    expect(tried).not.toContain(lease.keyId);
    tried.push(lease.keyId);
  }
  expect(tryLease(scheduler, NOW, { excludedKeys: tried })).toEqual([]);
  const outside = () => leaseOne(scheduler, NOW, { excludedKeys: [3], excludedProjectsOf: [3] }).keyId;
  expect([1, 2]).toContain(outside());
  expect([1, 2]).toContain(outside());
  expect([1, 2]).toContain(outside());
});

test("what the operator switches off stays off, whatever is observed", () => {
  const scheduler = schedulerOf([undefined]);
  const lease = tryLease(scheduler, NOW, { uses: 2 })[0] as Lease;
  expect(scheduler.setEnabled(1, false, NOW)).toEqual({ revoked: [{ holder: 1, leaseId: lease.id }] });
  settle(scheduler, lease, SERVED, NOW);
  expect(tryLease(scheduler, NOW)).toEqual([]);
  expect(scheduler.keyView(1, NOW)).toMatchObject({ isEnabled: false, health: { kind: "good" } });
  scheduler.setEnabled(1, true, NOW);
  expect(tryLease(scheduler, NOW)).toHaveLength(1);
});

test("a retired key is lent no more, and its running uses still end", () => {
  const scheduler = schedulerOf([undefined, undefined]);
  const lease = leaseOne(scheduler, NOW);
  expect(scheduler.retireKeys([lease.keyId], NOW).revoked).toHaveLength(1);
  for (let request = 0; request < 10; request++) expect(serve(scheduler, NOW)).not.toBe(lease.keyId);
  settle(scheduler, lease, INVALID, NOW);
  expect(scheduler.inFlight).toBe(0);
  expect(scheduler.keyView(lease.keyId, NOW)).toBeUndefined();
});

test("a dead holder's uses come back, a silent one's after an hour, and each only once", () => {
  const scheduler = schedulerOf([undefined], { projectConcurrencyMax: 2 });
  const lost = leaseOne(scheduler, NOW);
  scheduler.releaseHolder(1, NOW);
  expect(scheduler.inFlight).toBe(0);
  settle(scheduler, lost, SERVED, NOW);
  leaseOne(scheduler, NOW);
  scheduler.tick(NOW + HOUR_MS + 4_999);
  expect(scheduler.inFlight).toBe(1);
  scheduler.tick(NOW + HOUR_MS + 5_000);
  scheduler.checkInvariants();
  expect(scheduler.inFlight).toBe(0);
});

test("keys named as one project rest together, and what was learnt of a lone key moves with it", () => {
  const scheduler = schedulerOf([undefined, "a"]);
  const leases = tryLease(scheduler, NOW, { uses: 2 });
  for (const lease of leases) settle(scheduler, lease, lease.keyId === 1 ? QUOTA_DAY : SERVED, NOW);
  scheduler.assignProject(1, "a");
  scheduler.checkInvariants();
  expect(scheduler.denialFor("m", NOW).reason).toBe("quota");
  expect(tryLease(scheduler, NOW)).toEqual([]);
  scheduler.assignProject(2, undefined);
  scheduler.checkInvariants();
  expect(serve(scheduler, NOW)).toBe(2);
});

test("a restart keeps what was learnt", () => {
  const before = schedulerOf(["a", "a", "b", undefined, undefined]);
  for (const outcome of [QUOTA_DAY, BILLING, INVALID, SERVED]) serve(before, NOW, outcome);
  const stored = before.takeDirty(100);
  expect(before.takeDirty(100)).toEqual({ keys: [], models: [] });
  const after = schedulerOf(["a", "a", "b", undefined, undefined]);
  after.restore(structuredClone(stored.keys), structuredClone(stored.models), NOW);
  after.checkInvariants();
  for (const id of [1, 2, 3, 4, 5]) {
    const { health, standing } = before.keyView(id, NOW) ?? {};
    expect(after.keyView(id, NOW)).toMatchObject({ health, standing });
  }
  expect(after.summary(NOW).models[0]?.availableKeys).toBe(before.summary(NOW).models[0]?.availableKeys);
});

test("changed states are taken in bounded batches, each once", () => {
  const scheduler = schedulerOf(keysWithoutProject(10));
  proveAll(scheduler, 10);
  const sizes = [1, 2, 3, 4].map(() => scheduler.takeDirty(4).models.length);
  expect(sizes).toEqual([4, 4, 2, 0]);
});

test("names made up by clients neither grow the memory nor push out a model that serves", () => {
  const scheduler = schedulerOf(keysWithoutProject(50));
  serve(scheduler, NOW);
  for (let name = 0; name < 3 * MODELS_MAX; name++) {
    const answer = scheduler.lease(1, { model: `made-up-${name}`, uses: 1 }, NOW + name);
    if ("leases" in answer) scheduler.giveBack({ leaseId: answer.leases[0]?.id as number, uses: 1 }, NOW);
  }
  const { models } = scheduler.summary(NOW);
  expect(models.length).toBeLessThanOrEqual(MODELS_MAX);
  expect(models.some(({ model }) => model === "m")).toBe(true);
  expect(scheduler.lease(1, { model: "x".repeat(10_000), uses: 1 }, NOW)).toEqual({ denial: { reason: "busy" } });
});

test("a clock that goes back frees nothing and breaks nothing", () => {
  const scheduler = schedulerOf([undefined]);
  serve(scheduler, NOW, QUOTA_MINUTE);
  expect(tryLease(scheduler, NOW - HOUR_MS)).toEqual([]);
  expect(tryLease(scheduler, NOW + 11_000)).toHaveLength(1);
});
