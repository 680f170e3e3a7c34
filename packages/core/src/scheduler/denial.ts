/**
 * Why nothing could be lent, told honestly: the reason that keeps most keys away, and the nearest moment at which one
 * is expected back. Part of the scheduler, primary thread; reads counts and queues, never walks over keys.
 */
import type { Denial, DenialReason } from "../lease.ts";
import type { Ledger } from "./ledger.ts";
import type { Model } from "./records.ts";
import { canServe } from "./wanted.ts";
import type { Avoided, Wanted } from "./wanted.ts";

/** Resting lanes looked at for one that fits, and so passed over at most: more than any request may have tried. */
const RESTS_SEEN_MAX = 128;

/** The denial for the model; undefined stands for a model that nobody has asked for. */
export function denialFor(ledger: Ledger, model: Model | undefined, nowMs: number): Denial {
  const { pool } = ledger;
  if (pool.keys.size === 0) return { reason: "no-keys" };
  const reason = mainReason(ledger, model);
  // Keys at work come back when their requests end, and nobody knows when that is.
  if (reason === "busy") return { reason };
  const returnAtMs = model?.returns.nextAtMsOf(({ lane }) => lane.project.isUsable, RESTS_SEEN_MAX);
  // A trial is one request's chance and no return: it is told only where nothing returns by itself.
  const trialAtMs = pool.areTrialsTests ? pool.nextTestAtMs : pool.alarms.nextAtMs;
  const moments = returnAtMs === undefined ? [trialAtMs, model?.alarms.nextAtMs] : [returnAtMs];
  const known = moments.filter((atMs) => atMs !== undefined);
  return known.length === 0 ? { reason } : { reason, retryAtMs: Math.max(nowMs, Math.min(...known)) };
}

/** The denial of one wish: why, and when to come back with it. */
export function denialOf(ledger: Ledger, model: Model, wanted: Wanted, nowMs: number): Denial {
  const roomAtMs = wanted.soonestRoomMs;
  // Keys are open, but the request is larger than what they may still use.
  if (roomAtMs !== undefined) {
    return { reason: "quota", retryAtMs: roomAtMs, usableAtMs: roomAtMs, tokensFrom: wanted.tokens };
  }
  const denial = denialFor(ledger, model, nowMs);
  const atMs = usableAtMs(model, wanted.avoided);
  return atMs === undefined ? denial : { ...denial, usableAtMs: Math.max(nowMs, atMs) };
}

/** When a lane that this very request may use opens by itself: worth waiting for, if it is soon. */
function usableAtMs(model: Model, avoided: Avoided): number | undefined {
  return model.returns.nextAtMsOf(
    ({ lane }) => lane.project.isUsable && canServe(lane, avoided),
    RESTS_SEEN_MAX,
  );
}

/** The reason with the most keys behind it; of two equal ones, the one named first. */
function mainReason({ pool }: Ledger, model: Model | undefined): DenialReason {
  let main: DenialReason = "busy";
  let most = 0;
  const weigh = (reason: DenialReason, keys: number): void => {
    if (keys > most) [main, most] = [reason, keys];
  };
  if (model !== undefined) {
    const { census } = model;
    weigh("quota", census.paced.keys + census["quota-minute"].keys + census["quota-day"].keys);
    weigh("resting", census.overloaded.keys);
    weigh("model-unavailable", census.unavailable.keys);
    weigh("busy", census.open.keys + census.full.keys);
  }
  weigh("billing", pool.billingKeys);
  weigh("out-of-service", pool.keys.size - pool.availableKeys - pool.billingKeys);
  return main;
}
