/**
 * Where a lane stands: its place by its state, its load and its project; the queue it waits in; how many stand where.
 * Part of the scheduler, primary thread. Every change of a lane goes through {@link reseat}, the only function that
 * links and counts lanes.
 */
import { isLaneOpen, laneAlarmMs, laneReturnMs } from "../lane.ts";
import { append, prepend, unlink } from "./link.ts";
import type { LoadLevels } from "./load-levels.ts";
import { Lane, NO_TRIAL } from "./records.ts";
import type { LanePlace, Model, Project } from "./records.ts";

/** The project's lane on the model, made and seated when there is none yet. */
export function laneOf(model: Model, project: Project): Lane {
  const known = model.lanes.get(project);
  if (known !== undefined) return known;
  const lane = new Lane(project, model);
  model.lanes.set(project, lane);
  project.lanes = [...project.lanes, lane];
  model.laneCount.total++;
  reseat(lane);
  return lane;
}

/** Forgets the lane. Only when nothing of it is in flight. */
export function dropLane(lane: Lane): void {
  const { model, project } = lane;
  unseat(lane);
  model.alarms.set(lane, undefined);
  setReturn(lane, undefined);
  if (model.lanes.delete(project)) model.laneCount.total--;
  project.lanes = project.lanes.filter((other) => other !== lane);
}

/** Puts the lane where its state, its load and its project say. */
export function reseat(lane: Lane): void {
  unseat(lane);
  const place = placeOf(lane);
  const count = lane.model.census[place];
  lane.place = place;
  lane.keysCounted = lane.project.usableKeys;
  count.lanes++;
  count.keys += lane.keysCounted;
  queue(lane, place);
}

/** Sets the alarm and the return that the lane's state calls for. */
export function setLaneAlarm(lane: Lane): void {
  const { model, state } = lane;
  const roomAtMs = isLaneOpen(state) && lane.pacedUntilMs > 0 ? lane.pacedUntilMs : undefined;
  setReturn(lane, laneReturnMs(state) ?? roomAtMs);
  model.alarms.set(lane, laneAlarmMs(state, lane.isTrialDue) ?? roomAtMs);
}

function setReturn(lane: Lane, atMs: number | undefined): void {
  if (atMs !== undefined) lane.rest ??= { lane, alarmAtMs: 0, alarmIndex: -1 };
  if (lane.rest !== undefined) lane.model.returns.set(lane.rest, atMs);
}

/** The number in flight changed: cheap when the lane stays where it is. */
export function laneLoadChanged(lane: Lane): void {
  const isFull = lane.inFlight >= lane.model.concurrencyMax;
  if (lane.place === "open" && !isFull) levelsOf(lane).put(lane, lane.inFlight);
  else if (lane.place === "open" || (lane.place === "full" && !isFull)) reseat(lane);
}

/** The lane has just served, or come back from a rest with a stated end: both are reasons to trust it. */
export function trust(lane: Lane): void {
  lane.proofEpoch = lane.model.epoch;
}

/** A success, newly proven or not: the lane stands first for retries, and no longer in doubt. */
export function laneServed(lane: Lane): void {
  const { model } = lane;
  model.hasServed = true;
  if (lane.place !== "open") return;
  if (!isTrusted(lane)) {
    trust(lane);
    levelsOf(lane).put(lane, lane.inFlight);
  }
  prepend(model.byProof, lane.byProof);
}

/** True when the lane proved itself since the last storm began. */
export function isTrusted(lane: Lane): boolean {
  return lane.proofEpoch === lane.model.epoch;
}

/** A storm began: what was proven before it is doubted from here on. Costs the same for any number of lanes. */
export function doubtAll(model: Model): void {
  model.doubted.absorb(model.trusted);
  model.epoch++;
}

/** True while the lane could serve if its project can. */
export function isFit(lane: Lane): boolean {
  return isLaneOpen(lane.state) && lane.pacedUntilMs === 0 && lane.inFlight < lane.model.concurrencyMax;
}

function placeOf(lane: Lane): LanePlace {
  if (!lane.project.isUsable) return "away";
  switch (lane.state.kind) {
    case "untried":
    case "proven":
    case "recovering":
      if (lane.pacedUntilMs > 0) return "paced";
      return lane.inFlight >= lane.model.concurrencyMax ? "full" : "open";
    case "overloaded":
    case "quota-minute":
    case "quota-day":
    case "unavailable":
      return lane.state.kind;
  }
}

function queue(lane: Lane, place: LanePlace): void {
  const { model } = lane;
  switch (place) {
    case "open":
      levelsOf(lane).put(lane, lane.inFlight);
      if (lane.state.kind !== "untried") append(model.byProof, lane.byProof);
      return;
    case "overloaded":
      if (lane.trial === NO_TRIAL) append(model.overloaded, lane);
      return;
    case "quota-day":
    case "unavailable":
      if (lane.isTrialDue && lane.trial === NO_TRIAL) append(model.dueTrials, lane);
      return;
    case "away":
    case "full":
    case "paced":
    case "quota-minute":
      return;
  }
}

function levelsOf(lane: Lane): LoadLevels<Lane> {
  const { trusted, doubted, untried } = lane.model;
  if (lane.state.kind === "untried") return untried;
  return isTrusted(lane) ? trusted : doubted;
}

function unseat(lane: Lane): void {
  unlink(lane);
  unlink(lane.byProof);
  if (lane.place === undefined) return;
  const count = lane.model.census[lane.place];
  count.lanes--;
  count.keys -= lane.keysCounted;
  lane.place = undefined;
}
