/**
 * Health tests as the scheduler sees them: a lease of one very key, in the same trial slot as a caller's request, and
 * what its outcome may change. Part of the scheduler, primary thread.
 */
import { isKeyUsable, UNTESTED_KEY } from "../key-health.ts";
import { isLaneOpen, UNTRIED_LANE } from "../lane.ts";
import type { KeyId, LeaseId } from "../lease.ts";
import type { Outcome } from "../outcome.ts";
import type { ProbeAsk, TestSubject } from "../probing/ask.ts";
import { speaksOfKey, speaksOfLane, speaksOfProject } from "../probing/proof.ts";
import { GOOD_STANDING } from "../project-standing.ts";
import type { TransitionContext } from "../rests.ts";
import type { Choice } from "./choice.ts";
import type { Ledger } from "./ledger.ts";
import { forgetLimits } from "./pacing.ts";
import { NO_TRIAL } from "./records.ts";
import type { Lane, LentLease, Model, PooledKey } from "./records.ts";
import { laneOf, laneServed } from "./seating.ts";

/** The end of a test. */
export interface TestSettlement {
  readonly leaseId: LeaseId;
  readonly outcome: Outcome;
  /** What was asked: decides what a good answer proves. */
  readonly ask: ProbeAsk;
}

/** What is known of the key and, when it was ever tried, of its lane on the model. */
export function testSubjectOf(ledger: Ledger, id: KeyId, modelName: string): TestSubject | undefined {
  const key = ledger.pool.keys.get(id);
  if (key === undefined) return undefined;
  const { isEnabled, health, project } = key;
  const lane = ledger.shelf.models.get(modelName)?.lanes.get(project);
  const trials = [key.trial, project.trial, lane?.trial ?? NO_TRIAL];
  const isTrialOut = trials.some((trial) => trial !== NO_TRIAL);
  return { isEnabled, health, standing: project.standing, lane: lane?.state, isTrialOut };
}

/** The key itself, out of service or not; undefined while another use tries what this one would try. */
export function testChoice(ledger: Ledger, model: Model, key: PooledKey): Choice | undefined {
  const { project } = key;
  if (!key.isEnabled || (!model.lanes.has(project) && !ledger.shelf.mayGrow)) return undefined;
  const lane = laneOf(model, project);
  const out = [
    isKeyUsable(key.health) ? undefined : key,
    project.standing.kind === "good" ? undefined : project,
    isLaneOpen(lane.state) ? undefined : lane,
  ].filter((subject) => subject !== undefined);
  if (out.some(({ trial }) => trial !== NO_TRIAL) || lane.inFlight >= model.concurrencyMax) return undefined;
  return { lane, key, isTrial: out.length > 0 };
}

/**
 * Applies what the outcome of a test says. True when something changed for the worse.
 * A test is no traffic: it neither begins a storm nor ends one.
 */
export function applyTest(
  ledger: Ledger,
  { key, lane, lentAt }: LentLease,
  { outcome, ask }: TestSettlement,
  context: TransitionContext,
): boolean {
  const { project } = lane;
  const event = (changedAt: number) => ({ kind: "settled", outcome, late: lentAt < changedAt }) as const;
  const [ofKey, ofProject, ofLane] = [event(key.changedAt), event(project.changedAt), event(lane.changedAt)];
  const isChanged = [
    speaksOfKey(ask, outcome, key.health) && ledger.keyEvent(key, ofKey, context),
    speaksOfProject(ask, outcome, project.standing) && ledger.projectEvent(project, ofProject, context),
    speaksOfLane(ask, outcome, lane.state) && ledger.laneEvent(lane, ofLane, context),
  ].includes(true);
  if (outcome.kind !== "served") return isChanged;
  if (ask === "generate" && !ofLane.late) recordProof(ledger, lane, context.nowMs);
  return false;
}

/** Forgets all that was observed of the key, its project and its project's lanes, as if they had just been added. */
export function forgetObservations(ledger: Ledger, key: PooledKey, nowMs: number): void {
  const { health, project } = key;
  if (health.kind !== UNTESTED_KEY.kind) ledger.setKeyHealth(key, UNTESTED_KEY);
  if (project.standing.kind !== "good") ledger.setStanding(project, GOOD_STANDING);
  for (const lane of project.lanes) {
    if (lane.state.kind !== UNTRIED_LANE.kind) ledger.setLaneState(lane, UNTRIED_LANE);
    forgetLimits(ledger, lane, nowMs);
  }
}

function recordProof(ledger: Ledger, lane: Lane, nowMs: number): void {
  lane.lastServedMs = nowMs;
  lane.storedServedMs = nowMs;
  ledger.dirtyLanes.add(lane);
  laneServed(lane);
}
