/**
 * Lends to requests that are bound to one project, because what they name belongs to it, and to those that would rather
 * stay with one. To a bound request its project is the whole pool: it is lent what a pool of that project alone would
 * lend, and hears of that project alone when there is nothing. What it is lent counts for everybody else like any use.
 * Part of the scheduler, primary thread. A bounded number of steps, however many keys the pool or the project has.
 */
import { laneReturnMs } from "../lane.ts";
import type { Denial, DenialReason, KeyId, LeaseAnswer } from "../lease.ts";
import type { Choice } from "./choice.ts";
import { leaseOf } from "./lease-book.ts";
import type { Ledger } from "./ledger.ts";
import { openLease } from "./lending.ts";
import type { Lending } from "./lending.ts";
import { NO_TRIAL } from "./records.ts";
import type { Lane, LentLease, Model, PooledKey, Project } from "./records.ts";
import { isFit, laneOf } from "./seating.ts";
import { ringLane } from "./wakening.ts";
import { canServe } from "./wanted.ts";
import type { Wanted } from "./wanted.ts";

/** Keys of one project that a wish looks at for a trial, or for when there is one. */
const KEYS_SEEN_MAX = 64;

/** Multiplied by it, the numbers of the looks begin evenly everywhere, whichever of them are one project's. */
const SPREADING = 0x9e_37_79_b1;

/** Answers a wish for a key of one very project: never one of another. */
export function answerBound(ledger: Ledger, lending: Lending, owner: KeyId, isRetry: boolean): LeaseAnswer {
  const { holder, model, wish, wanted, nowMs } = lending;
  const project = ledger.pool.keys.get(owner)?.project;
  if (project === undefined || !isInUse(project)) return { denial: denialOf("owner-gone") };
  const lane = laneIn(ledger, model, project);
  if (lane === undefined) return { denial: denialOf("busy") };
  ringLane(ledger, lane, nowMs);
  // A request that has failed once is no trial.
  const choice = inService(lane, wanted) ?? (isRetry ? undefined : trial(ledger, lane));
  if (choice === undefined) return { denial: denialBy(lane, wanted, nowMs) };
  return { leases: [leaseOf(openLease(ledger, holder, choice, nowMs, { tokens: wish.tokens }))] };
}

/** One use of the project that the wish prefers; undefined when it prefers none or that one cannot be lent at once. */
export function lendPreferred(ledger: Ledger, lending: Lending): LentLease[] | undefined {
  const { holder, model, wish, wanted, nowMs } = lending;
  if (wish.preferProjectOf === undefined) return undefined;
  const project = ledger.pool.keys.get(wish.preferProjectOf)?.project;
  if (project?.isUsable !== true) return undefined;
  const lane = laneIn(ledger, model, project);
  if (lane !== undefined) ringLane(ledger, lane, nowMs);
  if (lane?.place !== "open" || !canServe(lane, wanted.avoided) || !wanted.hasRoom(lane)) return undefined;
  const key = wanted.keyOf(lane);
  if (key === undefined) return undefined;
  return [openLease(ledger, holder, { lane, key, isTrial: false }, nowMs, { tokens: wish.tokens })];
}

/** Some key of it is enabled, as far as {@link KEYS_SEEN_MAX} of them tell: of more, it is not said that all are out. */
function isInUse({ keys, usableKeys }: Project): boolean {
  if (usableKeys > 0 || keys.length > KEYS_SEEN_MAX) return true;
  return keys.some(({ isEnabled }) => isEnabled);
}

/** The project's lane, made when the model has never met the project; undefined when there are too many lanes. */
function laneIn({ shelf }: Ledger, model: Model, project: Project): Lane | undefined {
  return model.lanes.get(project) ?? (shelf.mayGrow ? laneOf(model, project) : undefined);
}

/**
 * What the project can lend like any other. Keys that were tried come last, and not never: whatever was wrong with one
 * has closed the key, the project or the lane, and this one is open.
 */
function inService(lane: Lane, wanted: Wanted): Choice | undefined {
  if (lane.place !== "open" || !wanted.hasRoom(lane)) return undefined;
  const key = wanted.keyOf(lane) ?? lane.project.leastReady(accept);
  return key === undefined ? undefined : { lane, key, isTrial: false };
}

/** The one use that finds out whether what is out of service is back: nothing else can serve this request. */
function trial(ledger: Ledger, lane: Lane): Choice | undefined {
  const key = lane.project.isUsable ? keyForLaneTrial(lane) : keyForTrial(ledger, lane);
  return key === undefined ? undefined : { lane, key, isTrial: true };
}

/** As in an outage of a whole pool, an overloaded lane is tried at once; others when it is time. */
function keyForLaneTrial(lane: Lane): PooledKey | undefined {
  const isTriable = lane.place === "overloaded" || isTrialPlace(lane);
  const isFree = lane.trial === NO_TRIAL && lane.inFlight < lane.model.concurrencyMax;
  return isTriable && isFree ? lane.project.leastReady(accept) : undefined;
}

function isTrialPlace({ place, isTrialDue }: Lane): boolean {
  return isTrialDue && (place === "quota-day" || place === "unavailable");
}

/** The project is out of service, or all its keys are. */
function keyForTrial({ pool }: Ledger, lane: Lane): PooledKey | undefined {
  const { project } = lane;
  if (pool.areTrialsTests || !isFit(lane)) return undefined;
  const isProjectFree = project.isTrialDue && project.trial === NO_TRIAL;
  if (project.standing.kind !== "good" && !isProjectFree) return undefined;
  return project.leastReady(accept) ?? dueKey(project, pool.dueLooks++);
}

/** A key whose trial is due and not out; each look begins elsewhere. */
function dueKey({ keys }: Project, look: number): PooledKey | undefined {
  const first = (Math.imul(look, SPREADING) >>> 0) % keys.length;
  for (let seen = 0; seen < Math.min(keys.length, KEYS_SEEN_MAX); seen++) {
    const key = keys[(first + seen) % keys.length];
    // Out of service and in a queue: among the due trials.
    if (key?.isUsable === false && key.isLinked) return key;
  }
  return undefined;
}

/** Why the lane's project could lend nothing, and when that may change. */
function denialBy(lane: Lane, wanted: Wanted, nowMs: number): Denial {
  const { project, state } = lane;
  const roomAtMs = wanted.soonestRoomMs;
  if (roomAtMs !== undefined) {
    return { ...denialOf("quota"), retryAtMs: roomAtMs, usableAtMs: roomAtMs, tokensFrom: wanted.tokens };
  }
  if (!project.isUsable) {
    const reason = project.standing.kind === "billing" ? "billing" : "out-of-service";
    const atMs = trialAtMs(project, nowMs);
    // A project is tried on a lane that would work if the project did.
    return denialOf(reason, atMs === undefined ? undefined : Math.max(atMs, openAtMs(lane)));
  }
  switch (lane.place) {
    case "paced":
      return returning("quota", lane.pacedUntilMs, nowMs);
    case "quota-minute":
    case "quota-day":
      return returning("quota", laneReturnMs(state), nowMs);
    case "overloaded":
      return returning("resting", laneReturnMs(state), nowMs);
    case "unavailable":
      return denialOf("model-unavailable", Math.max(nowMs, openAtMs(lane)));
    case "open":
    case "full":
    case "away":
    case undefined:
      return denialOf("busy");
  }
}

/** When the lane is open or tried, as far as is known; 0 when it is open. */
function openAtMs({ state, pacedUntilMs }: Lane): number {
  const returnMs = laneReturnMs(state);
  if (returnMs !== undefined) return returnMs;
  return "trialAtMs" in state ? state.trialAtMs : pacedUntilMs;
}

function denialOf(reason: DenialReason, retryAtMs?: number): Denial {
  return retryAtMs === undefined ? { reason, scope: "owner" } : { reason, scope: "owner", retryAtMs };
}

/** It opens by itself: worth waiting for, if that is soon. */
function returning(reason: DenialReason, returnMs: number | undefined, nowMs: number): Denial {
  if (returnMs === undefined) return denialOf(reason);
  const atMs = Math.max(nowMs, returnMs);
  return { ...denialOf(reason, atMs), usableAtMs: atMs };
}

/** When the project is tried next, or the first of its keys; undefined when nobody knows. */
function trialAtMs({ standing, keys, usableKeys }: Project, nowMs: number): number | undefined {
  const ofProject = "trialAtMs" in standing ? standing.trialAtMs : nowMs;
  if (usableKeys > 0) return Math.max(nowMs, ofProject);
  let ofKeys: number | undefined;
  for (let index = 0; index < Math.min(keys.length, KEYS_SEEN_MAX); index++) {
    const { health, isEnabled } = keys[index] as PooledKey;
    if (isEnabled && "trialAtMs" in health) ofKeys = Math.min(ofKeys ?? health.trialAtMs, health.trialAtMs);
  }
  return ofKeys === undefined ? undefined : Math.max(nowMs, ofProject, ofKeys);
}

function accept(): boolean {
  return true;
}
