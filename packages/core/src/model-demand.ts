/**
 * One model's part of a worker's pocket: the uses at hand and how many to ask for. Run by an HTTP worker thread, used by
 * the lease pocket only. Pure: no clock, no I/O.
 */
import { LEASE_USES_MAX } from "./lease.ts";
import { Turns } from "./turns.ts";
import type { Denial, KeyId, Lease, LeaseId, ProjectId, Return } from "./lease.ts";

export interface PocketOptions {
  /** Most uses held for one model beyond the requests that wait, 1 or more. */
  readonly batchMax: number;
  /** A batch is to last about this long, milliseconds. */
  readonly batchMs: number;
  /** A batch that is larger is filled up in parts of this size, 1..{@link LEASE_USES_MAX}. */
  readonly partMax: number;
  /** A batch of several parts is to last about this long, milliseconds: whatever is lent may be of a key that fails. */
  readonly partsMs: number;
  /** Longest time a report waits for company, milliseconds. */
  readonly reportDelayMs: number;
  /** Reports that are sent without waiting for more. */
  readonly reportsMax: number;
}

export const DEFAULT_POCKET_OPTIONS: PocketOptions = {
  batchMax: 1_024,
  batchMs: 250,
  partMax: 128,
  partsMs: 64,
  reportDelayMs: 100,
  reportsMax: 256,
};

/** After a denial nothing is asked for at least this long. */
const DENIAL_MIN_MS = 50;
/** And at most this long: something may have changed that the primary did not foresee. */
const DENIAL_MAX_MS = 1_000;

/** What is left of one lease. */
interface PocketedLease {
  readonly leaseId: LeaseId;
  readonly keyId: KeyId;
  readonly projectId: ProjectId;
  readonly untilMs: number;
  left: number;
  /** Most input tokens of a request that uses it. */
  readonly tokensMax: number;
}

/** A use taken; `isLast` when nothing of its lease is left. */
export interface TakenUse {
  readonly leaseId: LeaseId;
  readonly keyId: KeyId;
  readonly isLast: boolean;
}

export interface WishedUses {
  readonly uses: number;
  /** Of these, how many nobody waits for. */
  readonly inAdvance: number;
}

const NO_USES: WishedUses = { uses: 0, inAdvance: 0 };

export class ModelDemand {
  /** Milliseconds since the epoch. */
  lastAskedMs = 0;
  readonly #options: PocketOptions;
  /** Turn by turn: the first is used next and then goes last. At most {@link PocketOptions.batchMax} and the waiting. */
  readonly #leases = new Turns<PocketedLease>();
  #uses = 0;
  /** Uses wished for and not answered. */
  #asked = 0;
  /** Uses to have at hand after the next grant. */
  #batch = 1;
  #lastGrantMs = Number.NEGATIVE_INFINITY;
  /** Uses taken since then. */
  #takenSinceGrant = 0;
  #lastTakenMs = Number.NEGATIVE_INFINITY;
  /** No lease here runs out before this moment. */
  #earliestEndMs = Number.POSITIVE_INFINITY;
  #denial: { readonly denial: Denial; readonly untilMs: number } | undefined;
  #isSized = false;
  /** Until then nothing is asked for in advance: there was nothing to spare. */
  #scarceUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: PocketOptions) {
    this.#options = options;
  }

  get uses(): number {
    return this.#uses;
  }

  /** Nothing at hand and nothing asked. */
  get isIdle(): boolean {
    return this.#uses === 0 && this.#asked === 0;
  }

  /** Keys were lent for requests of a stated size: whoever asks should say how large the request is. */
  get isSized(): boolean {
    return this.#isSized;
  }

  /**
   * The next use in turn that is good for so many tokens, of one project when it is named. To be called after
   * {@link takeExpired}.
   */
  take(nowMs: number, tokens: number, projectId?: ProjectId): TakenUse | undefined {
    const lease = this.#takeLease(tokens, projectId);
    if (lease === undefined) return undefined;
    this.#lastTakenMs = nowMs;
    this.#takenSinceGrant++;
    this.#uses--;
    lease.left--;
    if (lease.left > 0) this.#leases.push(lease);
    return { leaseId: lease.leaseId, keyId: lease.keyId, isLast: lease.left === 0 };
  }

  /**
   * Uses to ask for now, 0 for none and {@link LEASE_USES_MAX} at most; they count as asked. Asks when more requests
   * wait than uses are at hand or on their way, and in good time before a batch runs out while it is being used.
   *
   * @param tokens of the largest request that waits.
   */
  wishedUses(waiting: number, tokens: number, nowMs: number): WishedUses {
    const coming = this.#uses + this.#asked;
    const isShort = waiting > coming;
    const isScarce = nowMs < this.#scarceUntilMs;
    const isInUse = !isScarce && nowMs - this.#lastTakenMs < this.#options.batchMs;
    const isLow = isInUse && this.#batch > 1 && this.#asked === 0 && this.#uses <= this.#lowUses;
    if (!(isShort || isLow) || this.denial(nowMs, tokens) !== undefined) return NO_USES;
    this.#fit(nowMs);
    const part = Math.min(this.#batch, this.#options.partMax);
    // Those who wait already are more than was asked for: asked one by one, each of the next would be a wish of its own.
    const ahead = isShort && this.#asked > 0 ? part - 1 : 0;
    const wanted = isScarce ? waiting : Math.max(waiting + ahead, this.#batch);
    const short = Math.max(waiting - coming, 0);
    const uses = Math.min(Math.max(wanted - coming, 0), Math.max(part, short + part - 1), LEASE_USES_MAX);
    this.#asked += uses;
    return { uses, inAdvance: uses - Math.min(short, uses) };
  }

  granted(wished: number, leases: readonly Lease[], nowMs: number): void {
    this.#asked = Math.max(this.#asked - wished, 0);
    this.#denial = undefined;
    this.#lastGrantMs = nowMs;
    this.#takenSinceGrant = 0;
    if (leases.length === 0) this.#scarceUntilMs = nowMs + this.#options.batchMs;
    else this.#isSized = leases.some(({ tokensMax }) => tokensMax !== undefined);
    for (const { id, keyId, projectId, untilMs, uses, tokensMax = Number.POSITIVE_INFINITY } of leases) {
      this.#leases.push({ leaseId: id, keyId, projectId, untilMs, left: uses, tokensMax });
      this.#uses += uses;
      this.#earliestEndMs = Math.min(this.#earliestEndMs, untilMs);
    }
  }

  denied(wished: number, denial: Denial, nowMs: number): void {
    this.#asked = Math.max(this.#asked - wished, 0);
    // Keys at work come back at any moment, without a time that could be told.
    const returnsInMs = (denial.retryAtMs ?? Number.POSITIVE_INFINITY) - nowMs;
    const pauseMs = denial.reason === "busy" ? DENIAL_MIN_MS : returnsInMs;
    const untilMs = nowMs + Math.min(Math.max(pauseMs, DENIAL_MIN_MS), DENIAL_MAX_MS);
    this.#denial = { denial, untilMs };
    this.#batch = Math.max(1, this.#batch >> 1);
  }

  /** The last denial while it is fresh, if it is meant for a request of so many tokens. */
  denial(nowMs: number, tokens: number): Denial | undefined {
    if (this.#denial === undefined || nowMs >= this.#denial.untilMs) return undefined;
    const { denial } = this.#denial;
    return tokens >= (denial.tokensFrom ?? 0) ? denial : undefined;
  }

  forgetDenial(): void {
    this.#denial = undefined;
  }

  /** Takes out what may no longer be started. Having asked for too much, the model asks for less from now on. */
  takeExpired(nowMs: number): Return[] {
    if (nowMs <= this.#earliestEndMs) return [];
    const expired = this.#takeOut((lease) => lease.untilMs < nowMs);
    this.#earliestEndMs = Infinity;
    for (const { untilMs } of this.#leases.all())
      this.#earliestEndMs = Math.min(this.#earliestEndMs, untilMs);
    if (expired.length > 0) this.#batch = Math.max(1, this.#batch >> 1);
    return expired;
  }

  /** Takes out what is too small for a request of so many tokens: given back, it makes room for what is not. */
  takeTooSmall(tokens: number): Return[] {
    return this.#isSized ? this.#takeOut(({ tokensMax }) => tokensMax < tokens) : [];
  }

  /** Takes out what is left of the lease. */
  remove(leaseId: LeaseId): Return[] {
    return this.#takeOut((lease) => lease.leaseId === leaseId);
  }

  #takeLease(tokens: number, projectId: ProjectId | undefined): PocketedLease | undefined {
    if (projectId !== undefined) {
      return this.#leases.takeFirst((lease) => lease.projectId === projectId && tokens <= lease.tokensMax);
    }
    return this.#isSized
      ? this.#leases.takeFirst(({ tokensMax }) => tokens <= tokensMax)
      : this.#leases.take();
  }

  #takeOut(isOut: (lease: PocketedLease) => boolean): Return[] {
    const out = this.#leases.takeAll(isOut);
    for (const { left } of out) this.#uses -= left;
    return out.map(({ leaseId, left }) => ({ leaseId, uses: left }));
  }

  /**
   * With so few uses at hand more are asked for: a quarter of a batch, or all but a part. What is left of a large batch has to
   * last while the primary is kept from answering, by the disk or by others on its core.
   */
  get #lowUses(): number {
    return Math.max(this.#batch >> 2, this.#batch - this.#options.partMax);
  }

  /** Makes the batch so large that it lasts as long as it should, by what was taken since the last grant. */
  #fit(nowMs: number): void {
    const { partMax, batchMs, partsMs } = this.#options;
    const passedMs = nowMs - this.#lastGrantMs;
    if (this.#batch < partMax) {
      if (passedMs < batchMs) this.#grow();
      return;
    }
    if (this.#takenSinceGrant < partMax >> 1) return;
    const lastsMs = (passedMs * this.#batch) / this.#takenSinceGrant;
    if (lastsMs < partsMs) this.#grow();
    else if (lastsMs > partsMs * 4) this.#batch = Math.max(partMax, this.#batch >> 1);
  }

  #grow(): void {
    this.#batch = Math.min(this.#batch * 2, this.#options.batchMax);
  }
}
