/** Which key is lent: spread, preferences, limits and retries. */
import { expect, test } from "vitest";
import type { KeyId } from "../src/lease.ts";
import { MODELS_MAX } from "../src/scheduler/options.ts";
import {
  NOW,
  schedulerOf,
  keysWithoutProject,
  tryLease,
  leaseOne,
  serve,
  proveAll,
} from "./scheduler-driver.ts";

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
  expect(tryLease(many, NOW, { uses: 16 }).map(({ uses }) => uses)).toEqual(
    Array.from({ length: 16 }, () => 1),
  );
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

test("a project never tried is preferred to a second use of a busy one", () => {
  const scheduler = schedulerOf(keysWithoutProject(20));
  serve(scheduler, NOW);
  const keys = Array.from({ length: 20 }, () => leaseOne(scheduler, NOW).keyId);
  expect(new Set(keys).size).toBe(20);
});

test("no project gets more uses in flight than its limit, over keys, batches and models apart", () => {
  const scheduler = schedulerOf(["a", "a", "a"], { projectConcurrencyMax: 2 });
  expect(tryLease(scheduler, NOW, { uses: 10 }).reduce((sum, { uses }) => sum + uses, 0)).toBe(2);
  expect(scheduler.lease(1, { model: "m", uses: 1 }, NOW)).toEqual({ denial: { reason: "busy" } });
  expect(tryLease(scheduler, NOW, { uses: 10, model: "other" })).toHaveLength(2);
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
  expect(scheduler.lease(1, { model: "x".repeat(10_000), uses: 1 }, NOW)).toEqual({
    denial: { reason: "busy" },
  });
});
