import fc from "fast-check";
import { expect, test } from "vitest";
import { LeasePocket } from "./lease-pocket.ts";
import { DEFAULT_POCKET_OPTIONS } from "./model-demand.ts";
import type { Lease, LeaseWish } from "./lease.ts";
import { LEASE_USES_MAX } from "./lease.ts";
import type { Evidence, Outcome } from "./outcome.ts";

const NOW = 1_700_000_000_000;
const evidence: Evidence = { httpStatus: 429, reason: "test", message: "" };
const SERVED: Outcome = { kind: "served" };
const OVERLOADED: Outcome = { kind: "overloaded", evidence };

function leaseOf(id: number, uses: number, untilMs = NOW + 5_000): Lease {
  return { id, keyId: 100 + id, projectId: 200 + id, model: "m", uses, untilMs };
}

function wished(pocket: LeasePocket, waiting: number, nowMs: number): LeaseWish {
  const wish = pocket.wish("m", waiting, nowMs);
  if (wish === undefined) throw new Error("the pocket wishes for nothing");
  return wish;
}

/** A pocket that holds the leases, without having asked for more than one use at first. */
function pocketWith(...leases: Lease[]): LeasePocket {
  const pocket = new LeasePocket();
  pocket.granted(wished(pocket, 1, NOW), leases, NOW);
  return pocket;
}

test("a use of one project is found among others, and theirs are left alone", () => {
  const pocket = pocketWith(leaseOf(1, 1), leaseOf(2, 2));
  expect(pocket.takeOf(202, "m", NOW)).toEqual({ leaseId: 2, keyId: 102 });
  expect(pocket.takeOf(203, "m", NOW)).toBeUndefined();
  expect(pocket.takeOf(202, "other", NOW)).toBeUndefined();
  expect(pocket.takeOf(202, "m", NOW)).toEqual({ leaseId: 2, keyId: 102 });
  expect(pocket.takeOf(202, "m", NOW)).toBeUndefined();
  expect(pocket.takeOf(201, "m", NOW + 5_001)).toBeUndefined();
  expect(pocket.takeReports()?.returns).toEqual([{ leaseId: 1, uses: 1 }]);
});

test("the first request wishes for one use, and asks only once", () => {
  const pocket = new LeasePocket();
  expect(pocket.take("m", NOW)).toBeUndefined();
  expect(pocket.wish("m", 1, NOW)).toEqual({ model: "m", uses: 1 });
  expect(pocket.wish("m", 1, NOW)).toBeUndefined();
  expect(pocket.wish("m", 3, NOW)).toEqual({ model: "m", uses: 2 });
  expect(pocket.wish("other", 0, NOW)).toBeUndefined();
});

test("more waiting requests than one wish may ask for are asked for in several", () => {
  const pocket = new LeasePocket();
  const wishes = [1, 2, 3].map(() => pocket.wish("m", LEASE_USES_MAX + 100, NOW));
  expect(wishes.map((wish) => wish?.uses)).toEqual([LEASE_USES_MAX, 100, undefined]);
  for (const wish of wishes) if (wish !== undefined) pocket.denied(wish, { reason: "busy" }, NOW);
  expect(pocket.wish("m", LEASE_USES_MAX + 100, NOW + 50)?.uses).toBe(LEASE_USES_MAX);
});

test("requests by the hundred that come at once are asked for by the batch, not one by one", () => {
  const pocket = new LeasePocket();
  const { batchMax, partMax } = DEFAULT_POCKET_OPTIONS;
  // Grants that are used up at once make its batch as large as it may be.
  for (let size = 1, nowMs = NOW; size <= batchMax; size *= 2, nowMs += 1) {
    const wish = wished(pocket, 1, nowMs);
    pocket.granted(wish, [leaseOf(size, wish.uses)], nowMs);
    while (pocket.take("m", nowMs) !== undefined);
  }
  const waitingMax = 4 * partMax;
  let [wishes, asked] = [0, 0];
  for (let waiting = 1; waiting <= waitingMax; waiting += 1) {
    const wish = pocket.wish("m", waiting, NOW);
    if (wish === undefined) continue;
    wishes += 1;
    asked += wish.uses;
    expect(asked).toBeLessThan(waiting + partMax);
    expect(asked - (wish.inAdvance ?? 0)).toBeLessThanOrEqual(waiting);
  }
  expect(asked).toBeGreaterThanOrEqual(waitingMax);
  expect(wishes).toBeLessThanOrEqual(waitingMax / partMax + 1);
});

test("uses of different keys go turn by turn", () => {
  const pocket = pocketWith(leaseOf(1, 3), leaseOf(2, 1), leaseOf(3, 2));
  const keys = Array.from({ length: 6 }, () => pocket.take("m", NOW)?.keyId);
  expect(keys).toEqual([101, 102, 103, 101, 103, 101]);
  expect(pocket.take("m", NOW)).toBeUndefined();
});

test("wishes grow while the pocket runs dry quickly, and shrink when uses run out unused", () => {
  const pocket = new LeasePocket({ ...DEFAULT_POCKET_OPTIONS, batchMax: 16, partMax: 16 });
  const sizes: number[] = [];
  for (let nowMs = NOW; sizes.length < 7; nowMs += 10) {
    const wish = pocket.wish("m", 1, nowMs);
    if (wish !== undefined) {
      sizes.push(wish.uses);
      pocket.granted(wish, [leaseOf(sizes.length, wish.uses)], nowMs);
    }
    while (pocket.take("m", nowMs) !== undefined);
  }
  expect(sizes).toEqual([1, 2, 4, 8, 16, 16, 16]);
  const wish = wished(pocket, 1, NOW + 10_000);
  pocket.granted(wish, [leaseOf(90, wish.uses, NOW + 11_000)], NOW + 10_000);
  pocket.tick(NOW + 20_000);
  expect(pocket.takeReports()?.returns).toEqual([{ leaseId: 90, uses: 16 }]);
  expect(wished(pocket, 1, NOW + 20_000).uses).toBe(8);
});

test("a batch in use is filled up before it runs out, one that is not in use is left alone", () => {
  const pocket = new LeasePocket();
  let nowMs = NOW;
  for (let round = 0; round < 5; round++) {
    const wish = wished(pocket, 1, nowMs);
    pocket.granted(wish, [leaseOf(round + 1, wish.uses)], nowMs);
    for (let use = 0; use < wish.uses - (round === 4 ? 4 : 0); use++) pocket.take("m", nowMs);
    nowMs += 1;
  }
  expect(pocket.uses).toBe(4);
  expect(pocket.wish("m", 0, nowMs + 1_000)).toBeUndefined();
  expect(pocket.wish("m", 0, nowMs)?.uses).toBeGreaterThan(4);
});

/** Requests at a steady rate, each of which asks as a worker does; wishes are answered at once, unless the primary is silent. */
function load(pocket: LeasePocket, perMs: number, fromMs: number, forMs: number, isSilent = false): number {
  let waiting = 0;
  let due = 0;
  for (let nowMs = fromMs; nowMs < fromMs + forMs; nowMs++) {
    for (due += perMs; due >= 1; due--) {
      if (waiting > 0 || pocket.take("m", nowMs) === undefined) waiting++;
      const wish = pocket.wish("m", waiting, nowMs);
      if (wish === undefined || isSilent) continue;
      pocket.granted(wish, [leaseOf(nowMs - NOW + 2, wish.uses, nowMs + 5_000)], nowMs);
      while (waiting > 0 && pocket.take("m", nowMs) !== undefined) waiting--;
    }
  }
  return waiting;
}

test.each([2.5, 5, 10])(
  "at %d requests a millisecond the pocket lasts while the primary is silent for 25",
  (perMs) => {
    const pocket = pocketWith(leaseOf(1, 8));
    load(pocket, perMs, NOW, 2_000);
    expect(load(pocket, perMs, NOW + 2_000, 25, true)).toBe(0);
  },
);

test("what a pocket holds is what is needed soon: 128 uses at most, and at high load those of an eighth of a second", () => {
  const pocket = pocketWith(leaseOf(1, 8));
  load(pocket, 0.5, NOW, 2_000);
  expect(pocket.uses).toBeLessThanOrEqual(128);
  load(pocket, 4, NOW + 2_000, 2_000);
  expect(pocket.uses).toBeLessThanOrEqual(512);
  load(pocket, 10, NOW + 4_000, 2_000);
  expect(pocket.uses).toBeGreaterThan(512);
  load(pocket, 0.5, NOW + 6_000, 4_000);
  expect(pocket.uses).toBeLessThanOrEqual(128);
});

test("a failure of the key gives back what is left of its lease, a caller's fault does not", () => {
  const pocket = pocketWith(leaseOf(1, 3), leaseOf(2, 3));
  pocket.take("m", NOW);
  pocket.settle({ leaseId: 1, outcome: { kind: "caller-fault", evidence } }, NOW);
  expect(pocket.uses).toBe(5);
  pocket.settle({ leaseId: 1, outcome: OVERLOADED }, NOW);
  expect(pocket.uses).toBe(3);
  expect(pocket.takeReports()?.returns).toEqual([{ leaseId: 1, uses: 2 }]);
});

test("a revoked lease goes back, and only what is left of it", () => {
  const pocket = pocketWith(leaseOf(1, 3));
  pocket.take("m", NOW);
  pocket.revoke(1, NOW);
  pocket.revoke(1, NOW);
  pocket.revoke(77, NOW);
  expect(pocket.take("m", NOW)).toBeUndefined();
  expect(pocket.takeReports()).toEqual({ served: [], settlements: [], returns: [{ leaseId: 1, uses: 2 }] });
  expect(pocket.takeReports()).toBeUndefined();
});

test("no use starts after its lease's end", () => {
  const pocket = pocketWith(leaseOf(1, 2, NOW + 100));
  expect(pocket.take("m", NOW + 100)).toMatchObject({ leaseId: 1 });
  expect(pocket.take("m", NOW + 101)).toBeUndefined();
  expect(pocket.takeReports()?.returns).toEqual([{ leaseId: 1, uses: 1 }]);
  expect(pocket.startRetry(leaseOf(2, 1, NOW), NOW + 1)).toBeUndefined();
  expect(pocket.startRetry(leaseOf(3, 1, NOW + 1), NOW + 1)).toEqual({ leaseId: 3, keyId: 103 });
  expect(pocket.takeReports()?.returns).toEqual([{ leaseId: 2, uses: 1 }]);
});

test("after a denial the pocket asks again when a key may be back, but not at once and not never", () => {
  const pocket = new LeasePocket();
  const denialAfter = (retryAtMs: number | undefined): number => {
    const pocketed = new LeasePocket();
    const denial = { reason: "resting" as const, ...(retryAtMs === undefined ? {} : { retryAtMs }) };
    pocketed.denied(wished(pocketed, 1, NOW), denial, NOW);
    for (let afterMs = 0; ; afterMs += 10)
      if (pocketed.wish("m", 1, NOW + afterMs) !== undefined) return afterMs;
  };
  expect(denialAfter(NOW)).toBe(50);
  expect(denialAfter(NOW + 400)).toBe(400);
  expect(denialAfter(NOW + 1e9)).toBe(1_000);
  expect(denialAfter(undefined)).toBe(1_000);
  pocket.denied(wished(pocket, 1, NOW), { reason: "busy" }, NOW);
  expect(pocket.denial("m", NOW + 49)).toEqual({ reason: "busy" });
  expect(pocket.denial("m", NOW + 50)).toBeUndefined();
});

test("good news waits for company, bad news does not", () => {
  const pocket = pocketWith(leaseOf(1, 2));
  expect(pocket.areReportsDue(NOW)).toBe(false);
  pocket.settle({ leaseId: 1, outcome: SERVED }, NOW);
  expect(pocket.areReportsDue(NOW + 99)).toBe(false);
  expect(pocket.areReportsDue(NOW + 100)).toBe(true);
  pocket.takeReports();
  for (let use = 0; use < 256; use++) pocket.settle({ leaseId: 1, outcome: SERVED }, NOW);
  expect(pocket.areReportsDue(NOW)).toBe(true);
  pocket.takeReports();
  pocket.settle({ leaseId: 1, outcome: OVERLOADED }, NOW);
  expect(pocket.areReportsDue(NOW)).toBe(true);
});

test("models made up by clients do not grow the pocket", () => {
  const pocket = new LeasePocket();
  for (let name = 0; name < 10_000; name++) {
    const wish = pocket.wish(`made-up-${name}`, 1, NOW);
    if (wish !== undefined) pocket.denied(wish, { reason: "no-keys" }, NOW);
  }
  expect(pocket.modelsHeld).toBeLessThanOrEqual(256);
  pocket.tick(NOW + 60_000);
  expect(pocket.modelsHeld).toBe(0);
});

test("every use granted is taken or returned, exactly once, whatever happens in between", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("wish" as const), waiting: fc.nat(400) }),
    fc.record({ kind: fc.constant("take" as const), count: fc.nat(40) }),
    fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(4_000) }),
    fc.record({ kind: fc.constant("revoke" as const), id: fc.nat(40) }),
    fc.record({ kind: fc.constant("fail" as const), id: fc.nat(40) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pocket = new LeasePocket();
      const [taken, returned] = [new Map<number, number>(), new Map<number, number>()];
      const granted = new Map<number, number>();
      const add = (to: Map<number, number>, id: number, uses: number) => to.set(id, (to.get(id) ?? 0) + uses);
      let [nowMs, nextId, largestWish] = [NOW, 1, 0];
      for (const each of steps) {
        if (each.kind === "pass") nowMs += each.ms;
        else if (each.kind === "revoke") pocket.revoke(each.id, nowMs);
        else if (each.kind === "fail") pocket.settle({ leaseId: each.id, outcome: OVERLOADED }, nowMs);
        else if (each.kind === "take") {
          for (let take = 0; take < each.count; take++) {
            const use = pocket.take("m", nowMs);
            if (use !== undefined) add(taken, use.leaseId, 1);
          }
        } else {
          const wish = pocket.wish("m", each.waiting, nowMs);
          if (wish === undefined) continue;
          const lease = leaseOf(nextId++, wish.uses, nowMs + 2_000);
          add(granted, lease.id, wish.uses);
          largestWish = Math.max(largestWish, wish.uses);
          pocket.granted(wish, [lease], nowMs);
        }
      }
      pocket.drain(nowMs);
      for (const { leaseId, uses } of pocket.takeReports()?.returns ?? []) add(returned, leaseId, uses);
      expect(pocket.uses).toBe(0);
      expect(largestWish).toBeLessThanOrEqual(LEASE_USES_MAX);
      for (const [id, uses] of granted) expect((taken.get(id) ?? 0) + (returned.get(id) ?? 0)).toBe(uses);
    }),
  );
});
