/**
 * Lends what was chosen: opens leases, fills them use by use, and marks what a trial tries. Part of the scheduler, primary
 * thread.
 */
import { isKeyUsable } from "../key-health.ts";
import { isLaneOpen } from "../lane.ts";
import { LEASE_USES_MAX } from "../lease.ts";
import type { HolderId, LeaseWish } from "../lease.ts";
import { chooseRetry, chooseToFindOut, chooseToServe, hasPlenty, isInDoubt } from "./choice.ts";
import type { Choice } from "./choice.ts";
import type { Ledger } from "./ledger.ts";
import { DOUBTFUL_USES_MAX } from "./options.ts";
import { ampleUses, chargeFor, chargeUses, leaseEndMs } from "./pacing.ts";
import type { Lane, LentLease, Model, PooledKey } from "./records.ts";
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

/** What one wish is lent, by key. A trial is a lease of its own. */
interface Lent {
  readonly byKey: Map<PooledKey, LentLease>;
  readonly trials: LentLease[];
}

/**
 * Lends as many of the wished uses as it can; none when nothing can be lent. What somebody waits for is spread over as many
 * keys as there are; what is for later is lent in bursts at high load, where there is plenty.
 */
export function lendUses(ledger: Ledger, lending: Lending): LentLease[] {
  const { model, wish, wanted } = lending;
  const { pool, shelf } = ledger;
  const lent: Lent = { byKey: new Map(), trials: [] };
  const uses = Math.min(Math.max(Math.trunc(wish.uses), 1), LEASE_USES_MAX);
  const awaited = uses - (wish.inAdvance ?? 0);
  let inBursts = 0;
  for (let use = 0; use < uses; use++) {
    if (use >= DOUBTFUL_USES_MAX && isInDoubt(model)) break;
    wanted.isInAdvance = use >= awaited;
    const { mayGrow } = shelf;
    const found = chooseToFindOut(model, pool, wanted, { mayGrow, count: model.firstAttempts + inBursts });
    if (found === undefined && wanted.isInAdvance && hasPlenty(model)) {
      inBursts++;
      continue;
    }
    const choice = found ?? chooseToServe(model, pool, wanted, mayGrow);
    if (choice === undefined) break;
    lend(ledger, lending, lent, choice, 1);
  }
  lendInBursts(ledger, lending, lent, inBursts);
  return [...lent.byKey.values(), ...lent.trials];
}

/**
 * Several uses of one key cost little more than one, and to lend each of 100,000 keys for itself costs a third of all a
 * request does. No burst is larger than what the lane may spare.
 */
function lendInBursts(ledger: Ledger, lending: Lending, lent: Lent, uses: number): void {
  const { model, wanted, nowMs } = lending;
  for (let left = uses; left > 0;) {
    const choice = chooseToServe(model, ledger.pool, wanted, ledger.shelf.mayGrow);
    if (choice === undefined) return;
    const burst = choice.isTrial
      ? 1
      : Math.min(left, burstFor(ledger, choice.lane, lending.wish.tokens, nowMs));
    lend(ledger, lending, lent, choice, burst);
    left -= burst;
  }
}

/** Uses of the lane that may be lent together now: one of what has yet to prove itself, else as far as its quota is ample. */
function burstFor(ledger: Ledger, lane: Lane, tokens: number | undefined, nowMs: number): number {
  const { model } = lane;
  if (lane.state.kind !== "proven" || model.wariness.isWary) return 1;
  const room = Math.min(model.concurrencyMax - lane.inFlight, ampleUses(ledger, lane, tokens, nowMs));
  return Math.max(1, Math.min(model.bursts.uses, room));
}

function lend(ledger: Ledger, lending: Lending, lent: Lent, choice: Choice, uses: number): void {
  const { holder, model, wish, nowMs } = lending;
  model.firstAttempts += uses;
  const lease = choice.isTrial ? undefined : lent.byKey.get(choice.key);
  if (lease !== undefined) return addUses(ledger, lease, uses, nowMs);
  const opened = openLease(ledger, holder, choice, nowMs, { tokens: wish.tokens, uses });
  if (choice.isTrial) lent.trials.push(opened);
  else lent.byKey.set(choice.key, opened);
}

/** Lends one use to a request that has failed before. */
export function lendRetry(ledger: Ledger, { holder, model, wish, wanted, nowMs }: Lending): LentLease[] {
  const choice = chooseRetry(model, ledger.pool, wanted, ledger.shelf.mayGrow);
  return choice === undefined ? [] : [openLease(ledger, holder, choice, nowMs, { tokens: wish.tokens })];
}

/** Lends what was chosen. `tokens` of each use as guessed, absent when nobody did; one use when `uses` is absent. */
export function openLease(
  ledger: Ledger,
  holder: HolderId,
  { lane, key, isTrial }: Choice,
  nowMs: number,
  { tokens, uses = 1 }: { readonly tokens?: number | undefined; readonly uses?: number } = {},
): LentLease {
  const untilMs = leaseEndMs(ledger, lane, nowMs);
  const charge = chargeFor(ledger, lane, tokens, untilMs, nowMs);
  const lease = ledger.book.open({ holder, key, lane, lentAt: ledger.changes, untilMs, isTrial, charge });
  if (isTrial) beginTrial(ledger, lease);
  addUses(ledger, lease, uses, nowMs);
  return lease;
}

function addUses(ledger: Ledger, lease: LentLease, uses: number, nowMs: number): void {
  ledger.book.addUses(lease, uses);
  laneLoadChanged(lease.lane);
  ledger.pool.loadChanged(lease.key);
  chargeUses(ledger, lease, uses, nowMs);
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
