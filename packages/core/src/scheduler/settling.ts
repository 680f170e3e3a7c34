/**
 * What the end of a use does: to its key, its project and its lane, to the trial it may have been, and to the leases
 * that must come back because of it. Part of the scheduler, primary thread.
 */
import { isKeyUsable } from "../key-health.ts";
import { isLaneOpen } from "../lane.ts";
import type { Settlement } from "../lease.ts";
import type { Outcome, OutcomeKind } from "../outcome.ts";
import type { Ledger } from "./ledger.ts";
import { OUTAGE_REST_MAX_MS } from "./options.ts";
import { isDaySurelyUsedUp, refundUses, settleCharge } from "./pacing.ts";
import { NO_TRIAL } from "./records.ts";
import type { Lane, LentLease, Model } from "./records.ts";
import type { TransitionContext } from "../rests.ts";
import { doubtAll, isTrusted, laneLoadChanged, laneServed, reseat } from "./seating.ts";
import { applyTest } from "./testing.ts";
import type { TestSettlement } from "./testing.ts";

/**
 * Age of a lane's stored "last served" from which a new success is worth storing again. It is told to operators and decides
 * nothing: with 100,000 lanes at work a row each minute was 1,700 rows a second.
 */
const SERVED_STORE_AFTER_MS = 600_000;

const NONE: readonly LentLease[] = [];

/** Failures that are the fault of this lane, project or key and not of the upstream as a whole. */
const IS_OWN_FAULT: Readonly<Record<OutcomeKind, boolean>> = {
  served: false,
  "caller-fault": false,
  "caller-left": false,
  "key-dead": true,
  "key-misconfigured": true,
  billing: true,
  "quota-minute": true,
  "quota-day": true,
  "model-unavailable": true,
  "request-over-quota": false,
  "foreign-resource": false,
  overloaded: false,
  empty: false,
  broken: false,
  network: false,
  location: false,
};

/** Ends one use with its outcome. Returns the leases whose unstarted uses must come back. */
export function settleUse(
  ledger: Ledger,
  lease: LentLease,
  settlement: Settlement,
  nowMs: number,
): readonly LentLease[] {
  const { outcome } = settlement;
  endUses(ledger, lease, 1, "settled");
  settleCharge(ledger, lease, settlement, nowMs);
  if (isRoutine(lease, outcome)) {
    if (lease.lentAt >= lease.lane.changedAt) recordSuccess(ledger, lease.lane, isTrusted(lease.lane), nowMs);
    ledger.dropIfGone(lease.lane);
    return NONE;
  }
  if (outcome.kind === "quota-minute") lease.lane.model.bursts.refused(nowMs);
  const context = contextFor(ledger, lease.lane, nowMs);
  const isChanged = applyOutcome(ledger, lease, outcome, context);
  const revoked = isChanged ? revokeClosed(ledger, lease, nowMs) : [];
  if (isChanged && beginsStorm(lease.lane.model, outcome.kind)) {
    revoked.push(...ledger.book.revokeModel(lease.lane.model, nowMs));
  }
  if (lease.isTrial) endTrial(ledger, lease, context);
  ledger.dropIfGone(lease.lane);
  return revoked;
}

/**
 * A use that goes on for long has shown that its key, project and lane work: all that its success would change changes
 * now, and a trial is over. It stays in flight until it is settled.
 */
export function proveUse(ledger: Ledger, lease: LentLease, nowMs: number): void {
  const context = contextFor(ledger, lease.lane, nowMs);
  applyOutcome(ledger, lease, { kind: "served" }, context);
  if (!lease.isTrial) return;
  endTrial(ledger, lease, context);
  lease.isTrial = false;
}

/** Almost every end: a success of what is known to work, which changes no state. */
function isRoutine({ key, lane, isTrial }: LentLease, outcome: Outcome): boolean {
  return (
    outcome.kind === "served" &&
    lane.state.kind === "proven" &&
    key.health.kind === "good" &&
    lane.project.standing.kind === "good" &&
    !isTrial
  );
}

/** Ends a test with its outcome, see {@link applyTest}. Returns the leases whose unstarted uses must come back. */
export function settleTestUse(
  ledger: Ledger,
  lease: LentLease,
  test: TestSettlement,
  nowMs: number,
): LentLease[] {
  endUses(ledger, lease, 1, "settled");
  const context = contextFor(ledger, lease.lane, nowMs);
  // A test that generates is a request like any other; the others are counted elsewhere.
  if (test.ask === "generate") settleCharge(ledger, lease, test, nowMs);
  else refundUses(ledger, lease, 1, nowMs);
  const isWorse = applyTest(ledger, lease, test, context);
  const revoked = isWorse ? revokeClosed(ledger, lease, nowMs) : [];
  if (lease.isTrial) endTrial(ledger, lease, context);
  ledger.dropIfGone(lease.lane);
  return revoked;
}

/** Ends uses that say nothing: returned by their holder, or lost with it. A trial is due again at once. */
export function endUnused(
  ledger: Ledger,
  lease: LentLease,
  uses: number,
  how: "returned" | "lost",
  nowMs: number,
): void {
  const ended = endUses(ledger, lease, uses, how);
  // What is lost may have been sent.
  if (how === "returned") refundUses(ledger, lease, ended, nowMs);
  if (lease.isTrial && lease.outstanding === 0) endTrial(ledger, lease, undefined);
  ledger.dropIfGone(lease.lane);
}

function endUses(
  ledger: Ledger,
  lease: LentLease,
  uses: number,
  how: "settled" | "returned" | "lost",
): number {
  const ended = ledger.book.endUses(lease, uses, how);
  laneLoadChanged(lease.lane);
  ledger.pool.loadChanged(lease.key);
  return ended;
}

/** In an outage of the whole upstream no lane is to blame, and rests stay short. */
function contextFor(ledger: Ledger, lane: Lane, nowMs: number): TransitionContext {
  const context = ledger.context(nowMs);
  const { open, full } = lane.model.census;
  const others = open.lanes + full.lanes - (isLaneOpen(lane.state) ? 1 : 0);
  const hasUnmet = lane.model.lanes.size < ledger.pool.roster.size;
  if (others > 0 || hasUnmet) return context;
  const overloadedMaxMs = Math.min(context.rests.overloadedMaxMs, OUTAGE_REST_MAX_MS);
  return { ...context, rests: { ...context.rests, overloadedMaxMs } };
}

function applyOutcome(
  ledger: Ledger,
  lease: LentLease,
  outcome: Outcome,
  context: TransitionContext,
): boolean {
  const { key, lane, lentAt } = lease;
  const { project } = lane;
  const wasTrusted = isTrusted(lane);
  const isLaneLate = lentAt < lane.changedAt;
  const settled = { kind: "settled", outcome } as const;
  const keyChanged = ledger.keyEvent(key, { ...settled, late: lentAt < key.changedAt }, context);
  const projectChanged = ledger.projectEvent(
    project,
    { ...settled, late: lentAt < project.changedAt },
    context,
  );
  const laneChanged = ledger.laneEvent(lane, { ...settled, late: isLaneLate }, context);
  if (laneChanged) foregoTrial(ledger, lane, context.nowMs);
  if (outcome.kind === "served") {
    if (!isLaneLate) recordSuccess(ledger, lane, wasTrusted, context.nowMs);
    return false;
  }
  return keyChanged || projectChanged || laneChanged;
}

/** A day that is used up by our own count as well is waited for: each trial before its end would be one more refusal. */
function foregoTrial(ledger: Ledger, lane: Lane, nowMs: number): void {
  const { state } = lane;
  if (state.kind !== "quota-day" || state.trialAtMs >= state.untilMs) return;
  if (isDaySurelyUsedUp(ledger, lane, nowMs))
    ledger.setLaneState(lane, { ...state, trialAtMs: state.untilMs });
}

/** Counts the failure; when a storm begins with it, all that was believed of the model's lanes is in doubt. */
function beginsStorm(model: Model, kind: OutcomeKind): boolean {
  if (!IS_OWN_FAULT[kind] || !model.wariness.failed()) return false;
  doubtAll(model);
  return true;
}

function recordSuccess(ledger: Ledger, lane: Lane, wasTrusted: boolean, nowMs: number): void {
  lane.lastServedMs = nowMs;
  laneServed(lane);
  lane.model.wariness.served(wasTrusted);
  lane.model.bursts.served(nowMs);
  if (Math.abs(nowMs - lane.storedServedMs) < SERVED_STORE_AFTER_MS) return;
  lane.storedServedMs = nowMs;
  ledger.dirtyLanes.add(lane);
}

/** Leases that can no longer be used well: of the key, of the lane, or of every lane of the project. */
function revokeClosed(ledger: Ledger, { key, lane }: LentLease, nowMs: number): LentLease[] {
  const { project } = lane;
  if (project.standing.kind !== "good") {
    return project.lanes.flatMap((each) => ledger.book.revoke(each, undefined, nowMs));
  }
  if (!isKeyUsable(key.health)) return revokeKey(ledger, lane.project.lanes, key.id, nowMs);
  return isLaneOpen(lane.state) ? [] : ledger.book.revoke(lane, undefined, nowMs);
}

/** The key's leases on any of the lanes. */
export function revokeKey(ledger: Ledger, lanes: readonly Lane[], keyId: number, nowMs: number): LentLease[] {
  return lanes.flatMap((lane) => ledger.book.revoke(lane, keyId, nowMs));
}

/**
 * Frees what the trial lease tried. Whatever is still out of service waits a little when the use was spent (`context`
 * given), and is due again when it was not.
 */
function endTrial(ledger: Ledger, lease: LentLease, context: TransitionContext | undefined): void {
  const { key, lane } = lease;
  const { project } = lane;
  const inconclusive = { kind: "trial-inconclusive" } as const;
  if (key.trial === lease.id) {
    key.trial = NO_TRIAL;
    if (context !== undefined && key.isTrialDue) ledger.keyEvent(key, inconclusive, context);
    else if (!key.isRetired) ledger.pool.seatKey(key);
  }
  if (project.trial === lease.id) {
    project.trial = NO_TRIAL;
    if (context !== undefined && project.isTrialDue) ledger.projectEvent(project, inconclusive, context);
    else ledger.pool.seatProject(project);
  }
  if (lane.trial === lease.id) {
    lane.trial = NO_TRIAL;
    if (context !== undefined && lane.isTrialDue) ledger.laneEvent(lane, inconclusive, context);
    else reseat(lane);
  }
}
