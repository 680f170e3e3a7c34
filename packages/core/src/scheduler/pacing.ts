/**
 * Keeps lanes within their quotas: charges what is lent, corrects it when a use has ended, learns limits from refusals
 * and successes, and seats a lane as paced while it has no room. Part of the scheduler, primary thread.
 */
import { isLaneOpen } from "../lane.ts";
import type { Settlement } from "../lease.ts";
import type { Outcome } from "../outcome.ts";
import { LaneQuota } from "../quota/lane-quota.ts";
import type { Charge } from "../quota/lane-quota.ts";
import { restoreQuota } from "../quota/stored-quota.ts";
import type { StoredQuota } from "../quota/stored-quota.ts";
import type { Ledger } from "./ledger.ts";
import { PACED_TTL_MS } from "./options.ts";
import type { Lane, LentLease, Model } from "./records.ts";
import { reseat, setLaneAlarm } from "./seating.ts";
import { leastTokens } from "./wanted.ts";

/** A new count of tokens weighs one in so many in a model's mean. */
const TYPICAL_MEMORY = 16;

/** Until when a use lent now may begin. */
export function leaseEndMs({ options }: Ledger, lane: Lane, nowMs: number): number {
  return (
    nowMs + (lane.quota?.isLimited === true ? Math.min(options.leaseTtlMs, PACED_TTL_MS) : options.leaseTtlMs)
  );
}

/** What each use of a lease is charged. `tokens` as the wish guessed them; undefined when it did not. */
export function chargeFor(
  ledger: Ledger,
  lane: Lane,
  tokens: number | undefined,
  untilMs: number,
  nowMs: number,
): Charge {
  return { atMs: untilMs, tokens: tokens ?? lane.model.typicalTokens, day: ledger.dayAt(nowMs).number };
}

/** So many more uses of the lease have been lent. */
export function chargeUses(ledger: Ledger, { lane, charge }: LentLease, uses: number, nowMs: number): void {
  quotaOf(ledger, lane).lent(charge, uses, nowMs);
  repace(ledger, lane, nowMs);
}

/** Uses that may be lent before some quota of the lane is no longer ample; infinite where it has none. */
export function ampleUses(ledger: Ledger, lane: Lane, tokens: number | undefined, nowMs: number): number {
  const { quota, model } = lane;
  if (quota?.isLimited !== true) return Number.POSITIVE_INFINITY;
  return quota.ampleUses(tokens ?? model.typicalTokens, nowMs, ledger.dayAt(nowMs));
}

/** Uses of the lease were never started. */
export function refundUses(ledger: Ledger, { lane, charge }: LentLease, uses: number, nowMs: number): void {
  lane.quota?.returned(charge, uses);
  if (lane.quota?.isLimited === true) ledger.dirtyLanes.add(lane);
  repace(ledger, lane, nowMs);
}

/** A use of the lease has ended: it counts as what it was, and its outcome may tell of limits. */
export function settleCharge(
  ledger: Ledger,
  { lane, charge }: LentLease,
  { outcome, startedAtMs, promptTokens }: Settlement,
  nowMs: number,
): void {
  const { quota, model } = lane;
  if (quota === undefined) return;
  if (promptTokens !== undefined) countTokens(model, promptTokens);
  const hasLearnt = quota.ended(charge, { how: endOf(outcome), startedAtMs, promptTokens }, nowMs);
  const facts = "evidence" in outcome ? outcome.evidence.quotas : undefined;
  const wasTold = facts !== undefined && quota.refused(facts, nowMs);
  // What was used is worth storing only where a limit makes it matter.
  if (hasLearnt || wasTold || quota.isLimited) ledger.dirtyLanes.add(lane);
  repace(ledger, lane, nowMs);
}

/** The day's quota is used up by our own count too: a trial before its end would be refused. */
export function isDaySurelyUsedUp(ledger: Ledger, { quota }: Lane, nowMs: number): boolean {
  return quota?.isDayUsedUp(ledger.dayAt(nowMs)) === true;
}

/** Seats the lane by the room it has. To be called whenever that may have changed. */
export function repace(ledger: Ledger, lane: Lane, nowMs: number): void {
  const { quota, model } = lane;
  const wasPaced = lane.pacedUntilMs > 0;
  if (quota === undefined || (!quota.isLimited && !wasPaced)) return;
  model.hasLimits = true;
  lane.pacedUntilMs = quota.roomAtMs(leastTokens(model), nowMs, ledger.dayAt(nowMs));
  const isPaced = lane.pacedUntilMs > 0;
  if (!isPaced && !wasPaced) return;
  if (isLaneOpen(lane.state)) setLaneAlarm(lane);
  if (isPaced !== wasPaced) reseat(lane);
}

/** Takes over what was stored, or learnt elsewhere, of the lane's quota. */
export function adoptQuota(ledger: Ledger, lane: Lane, stored: StoredQuota | undefined, nowMs: number): void {
  if (stored === undefined) return;
  restoreQuota(quotaOf(ledger, lane), stored, nowMs, ledger.dayAt(nowMs));
  repace(ledger, lane, nowMs);
}

/** Forgets the limits that were learnt; what was used stays used. */
export function forgetLimits(ledger: Ledger, lane: Lane, nowMs: number): void {
  if (lane.quota === undefined) return;
  lane.quota.forgetLearned(nowMs);
  ledger.dirtyLanes.add(lane);
  repace(ledger, lane, nowMs);
}

/** Two lanes turned out to share one quota: what one has learnt and used goes over to the other. */
export function mergeQuota(ledger: Ledger, { quota }: Lane, to: Lane, nowMs: number): void {
  if (quota === undefined) return;
  const day = ledger.dayAt(nowMs);
  const { requestsOfMinute: requests, tokensOfMinute: tokens, requestsOfDay } = quota.usedAt(nowMs, day);
  const used = { atMs: quota.newestUseMs ?? nowMs, requests, tokens };
  quotaOf(ledger, to).absorb(quota.learned, used, { day: day.number, requests: requestsOfDay }, nowMs);
  repace(ledger, to, nowMs);
}

function quotaOf(ledger: Ledger, lane: Lane): LaneQuota {
  lane.quota ??= new LaneQuota(lane.model.configured, ledger.startedAtMs);
  return lane.quota;
}

function endOf({ kind }: Outcome): "served" | "refused" | "other" {
  if (kind === "served") return "served";
  return kind === "quota-minute" || kind === "quota-day" ? "refused" : "other";
}

function countTokens(model: Model, tokens: number): void {
  const { typicalTokens } = model;
  model.typicalTokens =
    typicalTokens === 0 ? tokens : typicalTokens + (tokens - typicalTokens) / TYPICAL_MEMORY;
}
