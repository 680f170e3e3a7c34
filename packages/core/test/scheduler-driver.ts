/** Drives a scheduler in tests: short words for leasing and settling, with every invariant checked on the way. */
import type { KeyId, Lease, LeaseWish } from "../src/lease.ts";
import type { Evidence, Outcome } from "../src/outcome.ts";
import { DEFAULT_SCHEDULER_OPTIONS } from "../src/scheduler/options.ts";
import type { SchedulerOptions } from "../src/scheduler/options.ts";
import { Scheduler } from "../src/scheduler/scheduler.ts";
import type { Revocation } from "../src/scheduler/revocation.ts";

export const NOW = 1_700_000_000_000;
export const HOUR_MS = 3_600_000;
export const evidence: Evidence = { httpStatus: 503, reason: "test", message: "" };
export const SERVED: Outcome = { kind: "served" };
export const OVERLOADED: Outcome = { kind: "overloaded", evidence };
export const QUOTA_MINUTE: Outcome = { kind: "quota-minute", retryAfterMs: 10_000, evidence };
export const QUOTA_DAY: Outcome = {
  kind: "quota-day",
  untilMs: NOW + 8 * HOUR_MS,
  retryAfterMs: 0,
  evidence,
};
export const INVALID: Outcome = { kind: "key-dead", reason: "invalid", evidence };
export const DENIED: Outcome = { kind: "key-dead", reason: "denied", evidence };
export const BILLING: Outcome = { kind: "billing", evidence };
export const UNAVAILABLE: Outcome = { kind: "model-unavailable", evidence };
export const NETWORK: Outcome = { kind: "network", evidence };

export function schedulerOf(
  projects: readonly (string | undefined)[],
  options: Partial<SchedulerOptions> = {},
): Scheduler {
  const scheduler = new Scheduler({ ...DEFAULT_SCHEDULER_OPTIONS, ...options }, () => 0.5);
  scheduler.addKeys(projects.map((project, index) => ({ id: index + 1, project })));
  return scheduler;
}

export function keysWithoutProject(count: number): undefined[] {
  return Array.from({ length: count }, () => undefined);
}

export function tryLease(
  scheduler: Scheduler,
  nowMs: number,
  wish: Partial<LeaseWish> = {},
): readonly Lease[] {
  const answer = scheduler.lease(1, { model: "m", uses: 1, ...wish }, nowMs);
  scheduler.checkInvariants();
  return "leases" in answer ? answer.leases : [];
}

export function leaseOne(scheduler: Scheduler, nowMs: number, wish: Partial<LeaseWish> = {}): Lease {
  const [lease] = tryLease(scheduler, nowMs, wish);
  if (lease === undefined) throw new Error(`denied: ${JSON.stringify(scheduler.denialFor("m", nowMs))}`);
  return lease;
}

export function settle(
  scheduler: Scheduler,
  lease: Lease,
  outcome: Outcome,
  nowMs: number,
): readonly Revocation[] {
  const { revoked } = scheduler.settle({ leaseId: lease.id, outcome }, nowMs);
  scheduler.checkInvariants();
  return revoked;
}

/** One request with one attempt; the key that served it. */
export function serve(scheduler: Scheduler, nowMs: number, outcome = SERVED, model = "m"): KeyId {
  const lease = leaseOne(scheduler, nowMs, { model });
  settle(scheduler, lease, outcome, nowMs);
  return lease.keyId;
}

export function proveAll(scheduler: Scheduler, keys: number): void {
  const leases = tryLease(scheduler, NOW, { uses: keys });
  if (leases.length !== keys) throw new Error(`only ${leases.length} keys lent`);
  for (const lease of leases) settle(scheduler, lease, SERVED, NOW);
}
