/**
 * Lends what was chosen: opens leases, fills them use by use, and marks what a trial tries. Part of the scheduler, primary
 * thread.
 */
import { isKeyUsable } from "../key-health.ts";
import { isLaneOpen } from "../lane.ts";
import { LEASE_USES_MAX } from "../lease.ts";
import type { HolderId, LeaseWish } from "../lease.ts";
import { chooseFirst, chooseRetry, isInDoubt } from "./choice.ts";
import type { Choice } from "./choice.ts";
import type { Ledger } from "./ledger.ts";
import { DOUBTFUL_USES_MAX } from "./options.ts";
import { chargeFor, chargeUse, leaseEndMs } from "./pacing.ts";
import type { LentLease, Model, PooledKey } from "./records.ts";
import { laneLoadChanged, reseat } from "./seating.ts";
import type { Wanted } from "./wanted.ts";

/** A wish as it is about to be answered. */
export interface Lending {
  readonly holder: HolderId;
  readonly model: Model;
  readonly wish: LeaseWish;
  readonly wanted: Wanted;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Lends as many of the wished uses as it can, spread over as many keys as it can; none when nothing can be lent. */
export function lendUses(ledger: Ledger, { holder, model, wish, wanted, nowMs }: Lending): LentLease[] {
  const leases = new Map<PooledKey, LentLease>();
  const trials: LentLease[] = [];
  const uses = Math.min(Math.max(Math.trunc(wish.uses), 1), LEASE_USES_MAX);
  for (let lent = 0; lent < uses; lent++) {
    if (lent >= DOUBTFUL_USES_MAX && isInDoubt(model)) break;
    wanted.isInAdvance = lent >= uses - (wish.inAdvance ?? 0);
    const choice = chooseFirst(model, ledger.pool, wanted, ledger.shelf.mayGrow);
    if (choice === undefined) break;
    model.firstAttempts++;
    const lease = leases.get(choice.key);
    if (choice.isTrial) trials.push(openLease(ledger, holder, choice, nowMs, wish.tokens));
    else if (lease === undefined)
      leases.set(choice.key, openLease(ledger, holder, choice, nowMs, wish.tokens));
    else addUse(ledger, lease, nowMs);
  }
  return [...leases.values(), ...trials];
}

/** Lends one use to a request that has failed before. */
export function lendRetry(ledger: Ledger, { holder, model, wish, wanted, nowMs }: Lending): LentLease[] {
  const choice = chooseRetry(model, ledger.pool, wanted, ledger.shelf.mayGrow);
  return choice === undefined ? [] : [openLease(ledger, holder, choice, nowMs, wish.tokens)];
}

/** Lends one use of what was chosen. `tokens` as guessed; undefined when nobody did. */
export function openLease(
  ledger: Ledger,
  holder: HolderId,
  { lane, key, isTrial }: Choice,
  nowMs: number,
  tokens?: number,
): LentLease {
  const untilMs = leaseEndMs(ledger, lane, nowMs);
  const charge = chargeFor(ledger, lane, tokens, untilMs, nowMs);
  const lease = ledger.book.open({ holder, key, lane, lentAt: ledger.changes, untilMs, isTrial, charge });
  if (isTrial) beginTrial(ledger, lease);
  useLent(ledger, lease, nowMs);
  return lease;
}

function addUse(ledger: Ledger, lease: LentLease, nowMs: number): void {
  ledger.book.addUse(lease);
  useLent(ledger, lease, nowMs);
}

function useLent(ledger: Ledger, lease: LentLease, nowMs: number): void {
  laneLoadChanged(lease.lane);
  ledger.pool.loadChanged(lease.key);
  chargeUse(ledger, lease, nowMs);
}

/** One use may try several things at once: a key, its project and the lane. */
function beginTrial(ledger: Ledger, { id, lane, key }: LentLease): void {
  const { project } = lane;
  if (!isKeyUsable(key.health)) key.trial = id;
  if (project.standing.kind !== "good") project.trial = id;
  if (!isLaneOpen(lane.state)) lane.trial = id;
  ledger.pool.seatKey(key);
  ledger.pool.seatProject(project);
  reseat(lane);
}
