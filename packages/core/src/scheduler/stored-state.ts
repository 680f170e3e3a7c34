/**
 * What of the scheduler's knowledge is worth keeping over a restart: taken out in bounded batches as it changes, put
 * back at the start. Part of the scheduler, primary thread; storing it is the caller's business.
 */
import { trialDelayMs } from "../backoff.ts";
import type { KeyHealth } from "../key-health.ts";
import type { LaneState } from "../lane.ts";
import type { KeyId } from "../lease.ts";
import type { ProjectStanding } from "../project-standing.ts";
import { storedQuotaOf } from "../quota/stored-quota.ts";
import type { StoredQuota } from "../quota/stored-quota.ts";
import type { Ledger } from "./ledger.ts";
import { adoptQuota } from "./pacing.ts";
import type { Lane, PooledKey } from "./records.ts";
import { laneOf } from "./seating.ts";

/** A key's health and the standing of its project (the same for all keys of a project). */
export interface StoredKeyState {
  readonly id: KeyId;
  readonly health: KeyHealth;
  readonly standing: ProjectStanding;
}

/** A project on a model. `project` is the label, or `key:<id>` for a key without one. */
export interface StoredLaneState {
  readonly project: string;
  readonly model: string;
  readonly state: LaneState;
  /** Milliseconds since the epoch, 0 for never. */
  readonly lastServedMs: number;
  /** Limits and what was used of them; absent when none is known. Whatever stands here is looked through. */
  readonly quota?: StoredQuota;
}

export interface DirtyStates {
  readonly keys: readonly StoredKeyState[];
  readonly models: readonly StoredLaneState[];
}

/** A day of quota ends at most this far ahead; a stored state that says otherwise was written under another clock. */
const QUOTA_DAY_MAX_MS = 26 * 3_600_000;

export function takeDirtyStates(ledger: Ledger, max: number, nowMs: number): DirtyStates {
  return {
    keys: take(ledger.dirtyKeys, max).map(storedKey),
    models: take(ledger.dirtyLanes, max).map((lane) => storedLane(ledger, lane, nowMs)),
  };
}

export function markAllDirty({ pool, shelf, dirtyKeys, dirtyLanes }: Ledger): void {
  for (const key of pool.keys.values()) dirtyKeys.add(key);
  for (const model of shelf.models.values()) for (const lane of model.lanes.values()) dirtyLanes.add(lane);
}

/** Applies stored states, which are not stored again; those of keys and projects not in the pool are ignored. */
export function restoreStates(
  ledger: Ledger,
  keys: Iterable<StoredKeyState>,
  lanes: Iterable<StoredLaneState>,
  nowMs: number,
): void {
  for (const { id, health, standing } of keys) {
    const { keyDeadMs, keyMisconfiguredMs, billingMs } = ledger.options.rests;
    const restMaxMs = Math.max(keyDeadMs, keyMisconfiguredMs, billingMs);
    restoreKey(ledger, id, boundedTrial(health, restMaxMs, nowMs), boundedTrial(standing, restMaxMs, nowMs));
  }
  for (const stored of lanes) restoreLane(ledger, stored, nowMs);
}

function restoreKey(ledger: Ledger, id: KeyId, health: KeyHealth, standing: ProjectStanding): void {
  const key = ledger.pool.keys.get(id);
  if (key === undefined) return;
  ledger.setKeyHealth(key, health);
  const known = key.project.standing;
  const isNews = standing.kind !== "good" && (known.kind === "good" || known.sinceMs < standing.sinceMs);
  if (isNews) ledger.setStanding(key.project, standing);
  ledger.dirtyKeys.delete(key);
}

function restoreLane(ledger: Ledger, stored: StoredLaneState, nowMs: number): void {
  const project = ledger.pool.projectNamed(stored.project);
  if (project === undefined || !ledger.shelf.mayGrow) return;
  const model = ledger.shelf.asked(stored.model, nowMs);
  if (model === undefined) return;
  const lane = laneOf(model, project);
  lane.lastServedMs = stored.lastServedMs;
  lane.storedServedMs = stored.lastServedMs;
  if (stored.lastServedMs > 0) model.hasServed = true;
  ledger.setLaneState(lane, boundedRest(stored.state, nowMs, ledger));
  adoptQuota(ledger, lane, stored.quota, nowMs);
  ledger.dirtyLanes.delete(lane);
}

function boundedRest(state: LaneState, nowMs: number, { options: { rests } }: Ledger): LaneState {
  switch (state.kind) {
    case "overloaded":
      return { ...state, untilMs: Math.min(state.untilMs, nowMs + rests.overloadedMaxMs) };
    case "quota-minute":
      return { ...state, untilMs: Math.min(state.untilMs, nowMs + rests.quotaMinuteMaxMs) };
    case "quota-day":
      return { ...state, untilMs: Math.min(state.untilMs, nowMs + QUOTA_DAY_MAX_MS) };
    case "unavailable":
      return boundedTrial(state, rests.modelUnavailableMs, nowMs);
    case "untried":
    case "proven":
    case "recovering":
      return state;
  }
}

/** No trial lies further ahead than its rest can have grown: what says so was written under another clock. */
function boundedTrial<T extends object>(state: T, restMs: number, nowMs: number): T {
  if (!("trialAtMs" in state)) return state;
  const latestMs = nowMs + trialDelayMs(Number.POSITIVE_INFINITY, restMs, 1);
  return { ...state, trialAtMs: Math.min(Number(state.trialAtMs), latestMs) };
}

function take<T>(dirty: Set<T>, max: number): T[] {
  const taken: T[] = [];
  for (const item of dirty) {
    if (taken.length >= max) break;
    taken.push(item);
    dirty.delete(item);
  }
  return taken;
}

function storedKey(key: PooledKey): StoredKeyState {
  return { id: key.id, health: key.health, standing: key.project.standing };
}

function storedLane(ledger: Ledger, lane: Lane, nowMs: number): StoredLaneState {
  const { project, model, state, lastServedMs } = lane;
  const stored = { project: project.name, model: model.name, state, lastServedMs };
  const quota = storedQuotaOf(lane.quota, nowMs, ledger.dayAt(nowMs));
  return quota === undefined ? stored : { ...stored, quota };
}
