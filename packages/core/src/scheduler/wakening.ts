/**
 * What happens by itself as time passes: rests end and trials fall due. And what a project leaves behind when its last
 * key moves on. Part of the scheduler, primary thread.
 */
import { isLaneOpen } from "../lane.ts";
import type { Ledger } from "./ledger.ts";
import { mergeQuota, repace } from "./pacing.ts";
import { PooledKey } from "./records.ts";
import type { Lane, Model, Project } from "./records.ts";
import { laneOf, reseat, setLaneAlarm } from "./seating.ts";

/** Wakes at most `max` keys and projects whose trial is due. */
export function ringPool(ledger: Ledger, nowMs: number, max: number): void {
  for (let rung = 0; rung < max; rung++) {
    const subject = ledger.pool.alarms.takeDue(nowMs);
    if (subject === undefined) return;
    subject.isTrialDue = true;
    if (subject instanceof PooledKey) ledger.pool.seatKey(subject);
    else ledger.pool.seatProject(subject);
  }
}

/** Wakes at most `max` lanes of the model; returns how many. */
export function ringModel(ledger: Ledger, model: Model, nowMs: number, max: number): number {
  for (let rung = 0; rung < max; rung++) {
    const lane = model.alarms.takeDue(nowMs);
    if (lane === undefined) return rung;
    wakeLane(ledger, lane, nowMs);
  }
  return Math.max(max, 0);
}

/** Wakes this very lane if it is due, whatever others are. */
export function ringLane(ledger: Ledger, lane: Lane, nowMs: number): void {
  if (lane.alarmIndex < 0 || lane.alarmAtMs > nowMs) return;
  lane.model.alarms.set(lane, undefined);
  wakeLane(ledger, lane, nowMs);
}

function wakeLane(ledger: Ledger, lane: Lane, nowMs: number): void {
  const { state } = lane;
  if (isLaneOpen(state)) return repace(ledger, lane, nowMs);
  const isTrialOnly = state.kind === "unavailable" || (state.kind === "quota-day" && state.untilMs > nowMs);
  if (!isTrialOnly) {
    ledger.laneEvent(lane, { kind: "rest-over" }, ledger.context(nowMs));
    return repace(ledger, lane, nowMs);
  }
  lane.isTrialDue = true;
  setLaneAlarm(lane);
  reseat(lane);
}

/**
 * The project's last key has moved to another project: what is known of its lanes goes along, unless the new project
 * knows as much already. Its lanes go as soon as nothing of them is in flight.
 */
export function adoptLanes(ledger: Ledger, from: Project, to: Project, nowMs: number): void {
  for (const lane of from.lanes.toReversed()) {
    const target = lane.state.kind === "untried" ? undefined : laneOf(lane.model, to);
    if (target !== undefined) {
      if (isLessKnown(target, lane)) ledger.setLaneState(target, lane.state);
      mergeQuota(ledger, lane, target, nowMs);
    }
    ledger.dropIfGone(lane);
  }
}

function isLessKnown(target: Lane, lane: Lane): boolean {
  return target.state.kind === "untried" || (isLaneOpen(target.state) && !isLaneOpen(lane.state));
}
