/** Keys that come, go, move and are switched off; holders that die; what a restart keeps. */
import { expect, test } from "vitest";
import type { Lease } from "../src/lease.ts";
import {
  NOW,
  HOUR_MS,
  SERVED,
  QUOTA_MINUTE,
  QUOTA_DAY,
  INVALID,
  BILLING,
  schedulerOf,
  keysWithoutProject,
  tryLease,
  leaseOne,
  settle,
  serve,
  proveAll,
} from "./scheduler-driver.ts";

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

test("a dead holder's uses come back, a silent one's after a day, and each only once", () => {
  const scheduler = schedulerOf([undefined], { projectConcurrencyMax: 2 });
  const lost = leaseOne(scheduler, NOW);
  scheduler.releaseHolder(1, NOW);
  expect(scheduler.inFlight).toBe(0);
  settle(scheduler, lost, SERVED, NOW);
  leaseOne(scheduler, NOW);
  scheduler.tick(NOW + 24 * HOUR_MS + 4_999);
  expect(scheduler.inFlight).toBe(1);
  scheduler.tick(NOW + 24 * HOUR_MS + 5_000);
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

test("states restored while serving leave the other changes to be stored", () => {
  const scheduler = schedulerOf(keysWithoutProject(2));
  const failed = serve(scheduler, NOW, INVALID);
  scheduler.addKeys([{ id: 9, project: undefined }]);
  scheduler.restore([{ id: 9, health: { kind: "good", sinceMs: NOW }, standing: { kind: "good" } }], [], NOW);
  expect(scheduler.takeDirty(10).keys.map(({ id }) => id)).toEqual([failed]);
});

test("changed states are taken in bounded batches, each once", () => {
  const scheduler = schedulerOf(keysWithoutProject(10));
  proveAll(scheduler, 10);
  const sizes = [1, 2, 3, 4].map(() => scheduler.takeDirty(4).models.length);
  expect(sizes).toEqual([4, 4, 2, 0]);
});

test("a clock that goes back frees nothing and breaks nothing", () => {
  const scheduler = schedulerOf([undefined]);
  serve(scheduler, NOW, QUOTA_MINUTE);
  expect(tryLease(scheduler, NOW - HOUR_MS)).toEqual([]);
  expect(tryLease(scheduler, NOW + 11_000)).toHaveLength(1);
});
