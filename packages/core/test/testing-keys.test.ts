import { expect, it } from "vitest";
import type { Lease } from "../src/lease.ts";
import type { Outcome } from "../src/outcome.ts";
import type { ProbeAsk } from "../src/probing/ask.ts";
import type { Scheduler } from "../src/scheduler/scheduler.ts";
import {
  BILLING,
  DENIED,
  HOUR_MS,
  INVALID,
  leaseOne,
  NOW,
  QUOTA_DAY,
  QUOTA_MINUTE,
  schedulerOf,
  SERVED,
  serve,
  settle,
  tryLease,
  UNAVAILABLE,
} from "./scheduler-driver.ts";

const TESTER = 0;
const LATER = NOW + 30 * 24 * HOUR_MS;

function leaseKey(scheduler: Scheduler, keyId: number, nowMs = NOW, model = "m"): Lease | undefined {
  const lease = scheduler.tests.lease(TESTER, keyId, model, nowMs);
  scheduler.checkInvariants();
  return lease;
}

function test(scheduler: Scheduler, ask: ProbeAsk, outcome: Outcome, nowMs = NOW): void {
  const lease = leaseKey(scheduler, 1, nowMs);
  if (lease === undefined) throw new Error("the key was not lent to the test");
  scheduler.tests.settle({ leaseId: lease.id, outcome, ask }, nowMs);
  scheduler.checkInvariants();
}

it("lends a dead key to a test before its trial is due, and brings it back", () => {
  const scheduler = schedulerOf([undefined]);
  serve(scheduler, NOW, INVALID);
  expect(tryLease(scheduler, NOW + 1)).toEqual([]);
  test(scheduler, "list", SERVED, NOW + 2);
  expect(scheduler.keyView(1, NOW + 2)?.health.kind).toBe("good");
  expect(serve(scheduler, NOW + 3)).toBe(1);
});

it("never lends what is tried already: by a test, by a request, on any model", () => {
  const scheduler = schedulerOf([undefined]);
  serve(scheduler, NOW, INVALID);
  const first = leaseKey(scheduler, 1);
  expect(first).toMatchObject({ keyId: 1, uses: 1 });
  expect(leaseKey(scheduler, 1)).toBeUndefined();
  expect(leaseKey(scheduler, 1, NOW, "another-model")).toBeUndefined();
  expect(tryLease(scheduler, LATER)).toEqual([]);
  scheduler.giveBack({ leaseId: first!.id, uses: 1 }, LATER);
  const trial = leaseOne(scheduler, LATER);
  expect(leaseKey(scheduler, 1, LATER)).toBeUndefined();
  settle(scheduler, trial, SERVED, LATER);
  expect(leaseKey(scheduler, 1, LATER)).toBeDefined();
});

it("leaves keys and projects out of service to the tests when told so", () => {
  for (const outcome of [INVALID, BILLING, DENIED]) {
    const scheduler = schedulerOf(["p"]);
    scheduler.tests.areOnlyTrials = true;
    serve(scheduler, NOW, outcome);
    expect(tryLease(scheduler, LATER)).toEqual([]);
    scheduler.tests.areOnlyTrials = false;
    expect(tryLease(scheduler, LATER)).toHaveLength(1);
  }
});

it("lends no disabled key, and a success does not enable one", () => {
  const scheduler = schedulerOf([undefined]);
  const lease = leaseKey(scheduler, 1);
  scheduler.setEnabled(1, false, NOW);
  expect(leaseKey(scheduler, 1)).toBeUndefined();
  scheduler.tests.settle({ leaseId: lease!.id, outcome: SERVED, ask: "generate" }, NOW);
  expect(scheduler.keyView(1, NOW)?.isEnabled).toBe(false);
  expect(tryLease(scheduler, NOW)).toEqual([]);
});

it.each([
  ["list", BILLING, "out"],
  ["count", BILLING, "out"],
  ["generate", BILLING, "back"],
  ["count", DENIED, "out"],
  ["generate", DENIED, "back"],
  ["list", INVALID, "back"],
] as const)("a good answer to %s leaves a key with %o %s", (ask, failure, end) => {
  const scheduler = schedulerOf(["p"]);
  serve(scheduler, NOW, failure);
  test(scheduler, ask, SERVED, NOW + 1);
  expect(tryLease(scheduler, NOW + 2)).toHaveLength(end === "back" ? 1 : 0);
});

it("does not take tokens counted for a proof that the day's quota is back, nor a quota of counting for the model's", () => {
  const scheduler = schedulerOf([undefined]);
  serve(scheduler, NOW, QUOTA_DAY);
  test(scheduler, "count", SERVED, NOW + 1);
  expect(scheduler.keyView(1, NOW)?.lanes[0]?.state.kind).toBe("quota-day");
  const other = schedulerOf([undefined]);
  test(other, "count", QUOTA_MINUTE);
  expect(other.keyView(1, NOW)).toMatchObject({ health: { kind: "good" }, lanes: [{ place: "open" }] });
});

it("opens a closed model again by counting, unless its quota was 0", () => {
  for (const [httpStatus, place] of [
    [403, "open"],
    [429, "unavailable"],
  ] as const) {
    const scheduler = schedulerOf([undefined]);
    const evidence = { httpStatus, reason: "closed", message: "" };
    serve(scheduler, NOW, { ...UNAVAILABLE, evidence } as Outcome);
    test(scheduler, "count", SERVED, NOW + 1);
    expect(scheduler.keyView(1, NOW)?.lanes[0]?.place).toBe(place);
  }
});

it("forgets what was observed, and keeps what the operator wants", () => {
  const scheduler = schedulerOf(["p", "p"]);
  serve(scheduler, NOW, QUOTA_DAY, "n");
  serve(scheduler, NOW, BILLING);
  scheduler.setEnabled(2, false, NOW);
  scheduler.tests.forget(1, NOW);
  scheduler.checkInvariants();
  expect(scheduler.keyView(1, NOW)).toMatchObject({
    standing: { kind: "good" },
    lanes: [{ place: "open" }, { place: "open" }],
  });
  expect(scheduler.keyView(2, NOW)?.isEnabled).toBe(false);
  expect(serve(scheduler, NOW)).toBe(1);
});
