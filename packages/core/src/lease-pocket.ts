/**
 * A worker's pocket of leased uses: hands them to its requests, and knows when to ask the primary for more and what to
 * give back. One per HTTP worker thread. Pure: it sends nothing and has no clock; the worker carries its wishes and
 * reports to the primary and feeds it the answers.
 *
 * At low load a wish is for one use, so that keys are not held idle; at load a wish is for about a quarter of a second
 * of demand, so that the messages are far fewer than the requests. At high load, where that is more than one wish asks for, the
 * pocket holds what is needed for about a tenth of a second, in which the primary need not answer.
 */
import type { Denial, KeyId, Lease, LeaseId, LeaseWish, ProjectId, Return, Settlement } from "./lease.ts";
import type { Outcome, OutcomeKind } from "./outcome.ts";
import { DEFAULT_POCKET_OPTIONS, ModelDemand } from "./model-demand.ts";
import type { PocketOptions } from "./model-demand.ts";
import { addServed, servedCount, type ServedUses } from "./served-uses.ts";

/** The right to start one use now. */
export interface LeaseUse {
  readonly leaseId: LeaseId;
  readonly keyId: KeyId;
}

/** What the primary must be told: the ends of uses, and uses that will not be started. */
export interface Reports {
  /** To be applied first: what was served before a failure must not speak for the key after it. */
  readonly served: ServedUses;
  readonly settlements: readonly Settlement[];
  readonly returns: readonly Return[];
}

/** Models remembered at once; beyond it a model works with single uses. */
const MODELS_MAX = 256;
/** A model without uses that nobody asked for during this time is forgotten. */
const MODEL_IDLE_MS = 60_000;

/** Outcomes that say nothing against the key; all others close it (or its lane) until the primary says otherwise. */
const LEAVES_KEY_OPEN: ReadonlySet<OutcomeKind> = new Set<OutcomeKind>([
  "served",
  "caller-fault",
  "caller-left",
  "request-over-quota",
  "foreign-resource",
  "network",
  "location",
]);

export class LeasePocket {
  readonly #options: PocketOptions;
  readonly #models = new Map<string, ModelDemand>();
  /** Model of each lease that still has uses here. */
  readonly #modelOfLease = new Map<LeaseId, ModelDemand>();
  #served: number[] = [];
  #settlements: Settlement[] = [];
  #returns: Return[] = [];
  #oldestReportMs = Number.POSITIVE_INFINITY;
  #isUrgent = false;

  constructor(options: PocketOptions = DEFAULT_POCKET_OPTIONS) {
    this.#options = options;
  }

  /** Uses in the pocket, over all models. */
  get uses(): number {
    let uses = 0;
    for (const demand of this.#models.values()) uses += demand.uses;
    return uses;
  }

  /** Models remembered now, with uses or without. */
  get modelsHeld(): number {
    return this.#models.size;
  }

  /** Whether {@link take} and {@link wish} should be told how many input tokens requests for this model have. */
  isSized(model: string): boolean {
    return this.#models.get(model)?.isSized === true;
  }

  /**
   * One use for the model, of the key that has waited longest in turn; undefined when the pocket has none. What it has
   * is given back when it is too small for this request.
   *
   * @param tokens of the request, guessed; 0 when nobody counts them.
   */
  take(model: string, nowMs: number, tokens = 0): LeaseUse | undefined {
    const demand = this.#models.get(model);
    if (demand === undefined) return undefined;
    this.#returnAll(demand.takeExpired(nowMs), nowMs);
    const use = demand.take(nowMs, tokens);
    if (use === undefined) {
      this.#returnAll(demand.takeTooSmall(tokens), nowMs);
      return undefined;
    }
    if (use.isLast) this.#modelOfLease.delete(use.leaseId);
    return { leaseId: use.leaseId, keyId: use.keyId };
  }

  /** One use of this very project, if the pocket has one; what it has of others stays. `tokens` as for {@link take}. */
  takeOf(projectId: ProjectId, model: string, nowMs: number, tokens = 0): LeaseUse | undefined {
    const demand = this.#models.get(model);
    if (demand === undefined) return undefined;
    this.#returnAll(demand.takeExpired(nowMs), nowMs);
    const use = demand.take(nowMs, tokens, projectId);
    if (use === undefined) return undefined;
    if (use.isLast) this.#modelOfLease.delete(use.leaseId);
    return { leaseId: use.leaseId, keyId: use.keyId };
  }

  /**
   * The wish to send now, undefined when there is nothing to ask. A wish counts as sent: answer it with
   * {@link granted} or {@link denied}, or {@link forgetWishes} when the channel broke.
   *
   * @param waiting requests that wait for a use of this model.
   * @param tokens of the largest of them, guessed; 0 when nobody counts them.
   */
  wish(model: string, waiting: number, nowMs: number, tokens = 0): LeaseWish | undefined {
    const demand = this.#demandFor(model, nowMs);
    if (demand === undefined) return undefined;
    this.#returnAll(demand.takeExpired(nowMs), nowMs);
    const { uses, inAdvance } = demand.wishedUses(waiting, tokens, nowMs);
    if (uses <= 0) return undefined;
    return { model, uses, ...(inAdvance > 0 ? { inAdvance } : {}), ...(tokens > 0 ? { tokens } : {}) };
  }

  /** The primary's grant for a wish of this pocket; may be for fewer uses than wished. */
  granted(wish: LeaseWish, leases: readonly Lease[], nowMs: number): void {
    const demand = this.#demandFor(wish.model, nowMs);
    if (demand === undefined) {
      for (const { id, uses } of leases) this.#returnAll([{ leaseId: id, uses }], nowMs);
      return;
    }
    demand.granted(wish.uses, leases, nowMs);
    for (const lease of leases) this.#modelOfLease.set(lease.id, demand);
  }

  /** Starts the one use that a retry was lent; undefined, and the use goes back, when it came too late. */
  startRetry(lease: Lease, nowMs: number): LeaseUse | undefined {
    if (nowMs <= lease.untilMs) return { leaseId: lease.id, keyId: lease.keyId };
    this.#returnAll([{ leaseId: lease.id, uses: lease.uses }], nowMs);
    return undefined;
  }

  /** The primary had nothing to lend; {@link wish} stays silent until it makes sense to ask again. */
  denied(wish: LeaseWish, denial: Denial, nowMs: number): void {
    this.#demandFor(wish.model, nowMs)?.denied(wish.uses, denial, nowMs);
  }

  /** The denial in force for the model: what its waiting requests (of so many tokens) can be told. */
  denial(model: string, nowMs: number, tokens = Number.POSITIVE_INFINITY): Denial | undefined {
    return this.#models.get(model)?.denial(nowMs, tokens);
  }

  /** The pool has more to lend than it had: denials in force are out of date. */
  forgetDenials(): void {
    for (const demand of this.#models.values()) demand.forgetDenial();
  }

  /** The primary has changed: it knows no wish and no lease of this pocket. Nothing is given back. */
  reset(): void {
    this.#models.clear();
    this.#modelOfLease.clear();
    this.#served = [];
    this.#settlements = [];
    this.#returns = [];
    this.#oldestReportMs = Number.POSITIVE_INFINITY;
    this.#isUrgent = false;
  }

  /** A use has ended well, as nearly all of them do: nothing goes back, and no object is made of it. */
  served(leaseId: LeaseId, startedAtMs: number, promptTokens: number | undefined, nowMs: number): void {
    addServed(this.#served, leaseId, startedAtMs, promptTokens);
    this.#oldestReportMs = Math.min(this.#oldestReportMs, nowMs);
  }

  /** A use has ended. What is left of its lease goes back when the outcome speaks against the key. */
  settle(settlement: Settlement, nowMs: number): void {
    const { leaseId, outcome, startedAtMs = nowMs, promptTokens } = settlement;
    if (outcome.kind === "served") {
      this.served(leaseId, startedAtMs, promptTokens, nowMs);
      return;
    }
    this.#settlements.push(settlement);
    this.#oldestReportMs = Math.min(this.#oldestReportMs, nowMs);
    if (leavesKeyOpen(outcome)) return;
    this.#isUrgent = true;
    this.revoke(leaseId, nowMs);
  }

  /** The primary wants back what has not been started of the lease. */
  revoke(leaseId: LeaseId, nowMs: number): void {
    const demand = this.#modelOfLease.get(leaseId);
    if (demand === undefined) return;
    this.#modelOfLease.delete(leaseId);
    this.#returnAll(demand.remove(leaseId), nowMs);
  }

  /** Gives back what has run out, and forgets models not asked for. To be called every second or so. */
  tick(nowMs: number): void {
    for (const [model, demand] of this.#models) {
      this.#returnAll(demand.takeExpired(nowMs), nowMs);
      if (demand.isIdle && demand.lastAskedMs + MODEL_IDLE_MS <= nowMs) this.#models.delete(model);
    }
  }

  /** Gives back every use not started: the worker takes no more requests. */
  drain(nowMs: number): void {
    for (const leaseId of this.#modelOfLease.keys()) this.revoke(leaseId, nowMs);
  }

  /** True when {@link takeReports} should be sent now rather than with the next wish. */
  areReportsDue(nowMs: number): boolean {
    const pending = this.#pendingReports;
    if (pending === 0) return false;
    const isOld = nowMs - this.#oldestReportMs >= this.#options.reportDelayMs;
    return this.#isUrgent || isOld || pending >= this.#options.reportsMax;
  }

  /** Everything to tell the primary, oldest first; to be sent before the next wish. Undefined when there is nothing. */
  takeReports(): Reports | undefined {
    if (this.#pendingReports === 0) return undefined;
    const reports = { served: this.#served, settlements: this.#settlements, returns: this.#returns };
    this.#served = [];
    this.#settlements = [];
    this.#returns = [];
    this.#oldestReportMs = Number.POSITIVE_INFINITY;
    this.#isUrgent = false;
    return reports;
  }

  get #pendingReports(): number {
    return servedCount(this.#served) + this.#settlements.length + this.#returns.length;
  }

  #demandFor(model: string, nowMs: number): ModelDemand | undefined {
    let demand = this.#models.get(model);
    if (demand === undefined) {
      if (this.#models.size >= MODELS_MAX && !this.#makeRoom()) return undefined;
      demand = new ModelDemand(this.#options);
      this.#models.set(model, demand);
    }
    demand.lastAskedMs = nowMs;
    return demand;
  }

  /** Forgets one model that holds nothing; false when all of them do. */
  #makeRoom(): boolean {
    for (const [model, demand] of this.#models) {
      if (demand.isIdle) return this.#models.delete(model);
    }
    return false;
  }

  #returnAll(returns: readonly Return[], nowMs: number): void {
    for (const each of returns) {
      this.#modelOfLease.delete(each.leaseId);
      this.#returns.push(each);
      this.#oldestReportMs = Math.min(this.#oldestReportMs, nowMs);
    }
  }
}

function leavesKeyOpen(outcome: Outcome): boolean {
  return LEAVES_KEY_OPEN.has(outcome.kind);
}
