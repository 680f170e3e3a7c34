/**
 * Why nothing could be lent, told honestly: the reason that keeps most keys away, and the nearest moment at which one
 * is expected back. Part of the scheduler, primary thread; reads counts only, never walks over keys.
 */
import type { Denial, DenialReason } from "../lease.ts";
import type { Ledger } from "./ledger.ts";
import type { ModelLanes } from "./model-lanes.ts";

/** The denial for the model; undefined stands for a model that nobody has asked for. */
export function denialFor(ledger: Ledger, model: ModelLanes | undefined, nowMs: number): Denial {
  const { pool } = ledger;
  if (pool.keys.size === 0) return { reason: "no-keys" };
  const reason = mainReason(ledger, model);
  const moments = [pool.alarms.nextAtMs, model?.alarms.nextAtMs].filter((atMs) => atMs !== undefined);
  return moments.length === 0 ? { reason } : { reason, retryAtMs: Math.max(nowMs, Math.min(...moments)) };
}

/** The reason with the most keys behind it; the earlier of two equal ones. */
function mainReason({ pool }: Ledger, model: ModelLanes | undefined): DenialReason {
  const census = model?.census;
  const keys = (...places: ("quota-minute" | "quota-day" | "overloaded" | "unavailable" | "open" | "full")[]) =>
    places.reduce((sum, place) => sum + (census?.[place].keys ?? 0), 0);
  const reasons: readonly (readonly [DenialReason, number])[] = [
    ["quota", keys("quota-minute", "quota-day")],
    ["resting", keys("overloaded")],
    ["billing", pool.billingKeys],
    ["model-unavailable", keys("unavailable")],
    ["out-of-service", pool.keys.size - pool.availableKeys - pool.billingKeys],
    ["busy", keys("open", "full")],
  ];
  return reasons.reduce((most, each) => (each[1] > most[1] ? each : most))[1] > 0
    ? reasons.reduce((most, each) => (each[1] > most[1] ? each : most))[0]
    : "busy";
}
