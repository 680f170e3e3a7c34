/**
 * Lends the keys: the one place that decides which key serves the next request. Runs in the primary thread, which feeds
 * it every event with the time; it has no clock, draws no random number of its own and does no I/O, so that a run can
 * be repeated from its seed.
 *
 * `nowMs` is milliseconds since the epoch from a steady clock: it must not jump back with the wall clock. Should it
 * all the same, time stands still here until it has caught up.
 */
import type {
  Denial,
  HolderId,
  KeyId,
  LeaseAnswer,
  LeaseId,
  LeaseWish,
  Return,
  Settlement,
} from "../lease.ts";
import { denialFor, denialOf } from "./denial.ts";
import { checkLedger } from "./invariants.ts";
import { KeyTests } from "./key-tests.ts";
import { leaseOf } from "./lease-book.ts";
import { Ledger } from "./ledger.ts";
import { lendRetry, lendUses, openLease } from "./lending.ts";
import { ALARMS_PER_LEASE_MAX, ALARMS_PER_TICK_MAX, EXCLUDED_KEYS_MAX } from "./options.ts";
import type { SchedulerOptions } from "./options.ts";
import { quotaDayMove } from "./quota-day.ts";
import { Owners } from "./owners.ts";
import { answerBound, lendPreferred } from "./pinned.ts";
import type { LentLease, PooledKey, Project } from "./records.ts";
import { NOTHING_REVOKED, revocationsOf } from "./revocation.ts";
import type { Revoked } from "./revocation.ts";
import { endUnused, proveUse, revokeKey, settleUse } from "./settling.ts";
import { markAllDirty, restoreStates, takeDirtyStates } from "./stored-state.ts";
import type { DirtyStates, StoredKeyState, StoredLaneState } from "./stored-state.ts";
import { keyViewOf, modelHealths, readinessOf, summarySteps } from "./views.ts";
import type { KeyView, ModelHealth, Readiness, SchedulerSummary } from "./views.ts";
import { adoptLanes, ringModel, ringPool } from "./wakening.ts";
import { laneLoadChanged } from "./seating.ts";
import { NOTHING_AVOIDED, Wanted } from "./wanted.ts";
import type { Avoided } from "./wanted.ts";

/** A key to lend. Keys of the same project share one quota; without a project a key is one of its own. */
export interface KeyEntry {
  readonly id: KeyId;
  readonly project: string | undefined;
}

export class Scheduler {
  /** Health tests of single keys. */
  readonly tests: KeyTests;
  /** Which key is of which project. */
  readonly owners: Owners;
  readonly #ledger: Ledger;
  #latestMs = 0;
  /** What is left of the walk that {@link quotaDayMoved} began. */
  #dayMove: Generator<void, void, void> | undefined;

  /** @param random draws a number in [0, 1); spreads rests and trials. */
  constructor(options: SchedulerOptions, random: () => number) {
    this.#ledger = new Ledger(options, random);
    this.owners = new Owners(this.#ledger.pool);
    this.tests = new KeyTests(this.#ledger, {
      advance: (nowMs) => this.#advance(nowMs),
      open: (...lent) => openLease(this.#ledger, ...lent),
    });
  }

  /** Adds keys; a key that is known already stays as it is (see {@link assignProject}). */
  addKeys(keys: Iterable<KeyEntry>): void {
    for (const { id, project } of keys) this.#ledger.pool.add(id, project);
  }

  /** Takes keys out for good; their uses in flight may end as they like. Unknown ids are ignored. */
  retireKeys(ids: Iterable<KeyId>, nowMs: number): Revoked {
    const now = this.#advance(nowMs);
    return revocationsOf(this.#keysOf(ids).flatMap((key) => this.#retire(key, now)));
  }

  /** Moves a key to a project (undefined: to one of its own). What its old project had learnt moves with its last key. */
  assignProject(id: KeyId, project: string | undefined): void {
    const key = this.#ledger.pool.keys.get(id);
    if (key === undefined) return;
    const from = key.project;
    this.#ledger.pool.move(key, project);
    if (from.keys.length === 0) adoptLanes(this.#ledger, from, key.project, this.#latestMs);
  }

  /** What the operator wants of a key; what was observed of it stays. */
  setEnabled(id: KeyId, isEnabled: boolean, nowMs: number): Revoked {
    const now = this.#advance(nowMs);
    const key = this.#ledger.pool.keys.get(id);
    if (key === undefined) return NOTHING_REVOKED;
    this.#ledger.pool.setEnabled(key, isEnabled);
    return isEnabled ? NOTHING_REVOKED : revocationsOf(revokeKey(this.#ledger, key.project.lanes, id, now));
  }

  /** Takes over states stored by an earlier run, for keys and projects already added. */
  restore(keys: Iterable<StoredKeyState>, lanes: Iterable<StoredLaneState>, nowMs: number): void {
    restoreStates(this.#ledger, keys, lanes, this.#advance(nowMs));
  }

  /**
   * Lends up to `wish.uses` uses, spread over as many keys as it can; fewer when no more can be lent now. A retry
   * (`excludedKeys` not empty) gets one use of a key it has not tried; see `pinned.ts` for wishes that name a project.
   */
  lease(holder: HolderId, wish: LeaseWish, nowMs: number): LeaseAnswer {
    const now = this.#advance(nowMs);
    const ledger = this.#ledger;
    const model = ledger.shelf.asked(wish.model, now);
    if (model === undefined) return { denial: { reason: "busy" } };
    ringPool(ledger, now, ALARMS_PER_LEASE_MAX);
    ringModel(ledger, model, now, ALARMS_PER_LEASE_MAX);
    const wanted = this.#wantedBy(wish, now);
    const lending = { holder, model, wish, wanted, nowMs: now };
    const isRetry = this.#isRetry(wish);
    if (wish.onlyProjectOf !== undefined) return answerBound(ledger, lending, wish.onlyProjectOf, isRetry);
    const leases =
      lendPreferred(ledger, lending) ?? (isRetry ? lendRetry(ledger, lending) : lendUses(ledger, lending));
    // The next wish looks at others first.
    for (const lane of wanted.misfits) laneLoadChanged(lane);
    if (leases.length > 0) return { leases: leases.map(leaseOf) };
    // Nobody waits: there is nobody to be denied.
    if (wish.inAdvance === wish.uses) return { leases: [] };
    return { denial: denialOf(ledger, model, wanted, now) };
  }

  /** Ends one use with its outcome. Unknown leases (already given up as lost) are ignored. */
  settle(settlement: Settlement, nowMs: number): Revoked {
    const now = this.#advance(nowMs);
    const lease = this.#ledger.book.leases.get(settlement.leaseId);
    if (lease === undefined) return NOTHING_REVOKED;
    return revocationsOf(settleUse(this.#ledger, lease, settlement, now));
  }

  /** A use that goes on has shown that it works, see {@link proveUse}. Unknown leases are ignored. */
  prove(leaseId: LeaseId, nowMs: number): void {
    const now = this.#advance(nowMs);
    const lease = this.#ledger.book.leases.get(leaseId);
    if (lease !== undefined) proveUse(this.#ledger, lease, now);
  }

  /** Takes back uses that were never started. */
  giveBack(returned: Return, nowMs: number): void {
    const now = this.#advance(nowMs);
    const lease = this.#ledger.book.leases.get(returned.leaseId);
    if (lease !== undefined) endUnused(this.#ledger, lease, returned.uses, "returned", now);
  }

  /** The holder is gone: all it held comes back. */
  releaseHolder(holder: HolderId, nowMs: number): void {
    const now = this.#advance(nowMs);
    for (const lease of this.#ledger.book.heldBy(holder)) {
      endUnused(this.#ledger, lease, lease.outstanding, "lost", now);
    }
  }

  /** Ends rests and lost leases that are due. To be called every second or so; {@link lease} sees to its own model. */
  tick(nowMs: number): void {
    const now = this.#advance(nowMs);
    ringPool(this.#ledger, now, ALARMS_PER_TICK_MAX);
    let left = ALARMS_PER_TICK_MAX;
    for (const model of this.#ledger.shelf.models.values()) left -= ringModel(this.#ledger, model, now, left);
    for (let lost = 0; lost < ALARMS_PER_TICK_MAX; lost++) {
      const lease = this.#ledger.book.takeLost(now);
      if (lease === undefined) break;
      endUnused(this.#ledger, lease, lease.outstanding, "lost", now);
    }
    this.#ledger.shelf.dropIdle(now);
    this.#goOnMoving();
  }

  /** The end of the quota's day may be another than it was: the wall clock was set. Lanes follow in the next ticks. */
  quotaDayMoved(nowMs: number): void {
    this.#dayMove = quotaDayMove(this.#ledger, this.#advance(nowMs)) ?? this.#dayMove;
  }

  /** Why nothing could be lent for the model, as it looks now. */
  denialFor(model: string, nowMs: number): Denial {
    return denialFor(this.#ledger, this.#ledger.shelf.models.get(model), this.#advance(nowMs));
  }

  readiness(nowMs: number): Readiness {
    this.#advance(nowMs);
    return readinessOf(this.#ledger);
  }

  /** How many keys can serve each model that is asked for. Costs a step for each model. */
  modelHealths(): Iterable<ModelHealth> {
    return modelHealths(this.#ledger);
  }

  /** Counts by state and reason, in steps between which other work may be done: it looks at every key. */
  summarySteps(nowMs: number): Generator<void, SchedulerSummary, void> {
    this.#advance(nowMs);
    return summarySteps(this.#ledger);
  }

  /** The same in one go: for a small pool. */
  summary(nowMs: number): SchedulerSummary {
    const steps = this.summarySteps(nowMs);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  /** All that is known of one key, undefined when there is no such key. */
  keyView(id: KeyId, nowMs: number): KeyView | undefined {
    const now = this.#advance(nowMs);
    const key = this.#ledger.pool.keys.get(id);
    return key === undefined ? undefined : keyViewOf(this.#ledger, key, now);
  }

  /** States that changed since they were last taken, at most `max` of keys and `max` of lanes. */
  takeDirty(max: number): DirtyStates {
    return takeDirtyStates(this.#ledger, max, this.#latestMs);
  }

  /** Makes every state one to be taken again: what was stored is lost. */
  forgetStored(): void {
    markAllDirty(this.#ledger);
  }

  /** Uses lent and not ended. */
  get inFlight(): number {
    return this.#ledger.book.outstanding;
  }

  /** Throws an Error naming the first broken invariant. For tests: costs a step for every record. */
  checkInvariants(): void {
    checkLedger(this.#ledger);
  }

  #goOnMoving(): void {
    for (let step = 0; step < ALARMS_PER_TICK_MAX && this.#dayMove !== undefined; step++) {
      if (this.#dayMove.next().done === true) this.#dayMove = undefined;
    }
  }

  #advance(nowMs: number): number {
    if (this.#latestMs === 0) this.#ledger.startedAtMs = nowMs;
    this.#latestMs = Math.max(this.#latestMs, nowMs);
    return this.#latestMs;
  }

  #isRetry(wish: LeaseWish): boolean {
    return wish.excludedKeys !== undefined && wish.excludedKeys.length > 0;
  }

  #wantedBy(wish: LeaseWish, nowMs: number): Wanted {
    const day = this.#ledger.dayAt(nowMs);
    return new Wanted(this.#avoidedBy(wish), wish.tokens, {
      roomAtMs: (quota, tokens) => quota.roomAtMs(tokens, nowMs, day),
      isAmple: (quota) => quota.isAmple(nowMs, day),
    });
  }

  #avoidedBy({ excludedKeys, excludedProjectsOf }: LeaseWish): Avoided {
    if (excludedKeys === undefined) return NOTHING_AVOIDED;
    const keys = excludedKeys.slice(0, EXCLUDED_KEYS_MAX);
    const projects = this.#keysOf((excludedProjectsOf ?? []).slice(0, EXCLUDED_KEYS_MAX)).map(projectOf);
    return { keys, projects };
  }

  #retire(key: PooledKey, nowMs: number): LentLease[] {
    const { project } = key;
    const revoked = revokeKey(this.#ledger, project.lanes, key.id, nowMs);
    this.#ledger.dirtyKeys.delete(key);
    this.#ledger.pool.remove(key);
    for (const lane of project.lanes.toReversed()) this.#ledger.dropIfGone(lane);
    return revoked;
  }

  #keysOf(ids: Iterable<KeyId>): PooledKey[] {
    return [...ids].flatMap((id) => this.#ledger.pool.keys.get(id) ?? []);
  }
}

function projectOf(key: PooledKey): Project {
  return key.project;
}
