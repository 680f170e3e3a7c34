/**
 * What one lane may still use and has used: its limits, the rolling minute, the day. One per lane that was ever lent, in
 * the primary thread. Mutable; it has no clock and knows no queue: the scheduler's pacing asks it.
 *
 * A use counts from the moment it is lent, as if it began at the last moment it may; when it has ended it counts from
 * when it began, with the tokens it took. What was not started is given back.
 */
import {
  learnFromRefusal,
  learnFromSuccess,
  limitsInForce,
  nextForgottenMs,
  NOTHING_LEARNED,
  stillBelieved,
} from "./learned-limits.ts";
import type { LearnedLimits } from "./learned-limits.ts";
import type { QuotaFact, QuotaLimits } from "./quota-limits.ts";
import { ServedMinutes } from "./served-minutes.ts";
import { UsageWindow, WINDOW_MS } from "./usage-window.ts";

/** The day for which quotas of the day count, as the caller knows it. */
export interface QuotaDay {
  /** Tells one day from the next. */
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly endsAtMs: number;
}

/** What each use of a lease was charged; needed to take it back. */
export interface Charge {
  /** The last moment at which a use may begin, milliseconds since the epoch. */
  readonly atMs: number;
  /** Input tokens set aside for each use. */
  readonly tokens: number;
  /** {@link QuotaDay.number}. */
  readonly day: number;
}

/** How a use that was started has ended. */
export interface UseEnd {
  /** `refused`: for its quota, which costs none. */
  readonly how: "served" | "refused" | "other";
  /** When the request was sent, if it is known. Milliseconds since the epoch. */
  readonly startedAtMs: number | undefined;
  /** Input tokens as the upstream counted them, if it told. */
  readonly promptTokens: number | undefined;
}

/** Below this part of a quota it is ample. */
const AMPLE_BELOW = 0.5;

export class LaneQuota {
  readonly #configured: QuotaLimits;
  readonly #window = new UsageWindow();
  readonly #served = new ServedMinutes();
  #learned: LearnedLimits = NOTHING_LEARNED;
  #limits: QuotaLimits;
  #forgetAtMs = Number.POSITIVE_INFINITY;
  /** Since then the window misses nothing. */
  readonly #countsFromMs: number;
  #day = -1;
  #requestsOfDay = 0;
  #servedOfDay = 0;

  /** @param countsFromMs from when on every use of the lane is charged here. */
  constructor(configured: QuotaLimits, countsFromMs: number) {
    this.#configured = configured;
    this.#limits = configured;
    this.#countsFromMs = countsFromMs;
  }

  /** The limits in force when they were last asked for. */
  get limits(): QuotaLimits {
    return this.#limits;
  }

  get learned(): LearnedLimits {
    return this.#learned;
  }

  /** Some limit is known: the lane is paced. */
  get isLimited(): boolean {
    const { requestsPerMinute, tokensPerMinute, requestsPerDay } = this.#limits;
    return requestsPerMinute !== undefined || tokensPerMinute !== undefined || requestsPerDay !== undefined;
  }

  /** The day's quota is known and, by our own count, used up. */
  isDayUsedUp(day: QuotaDay): boolean {
    return this.#requestsOn(day) >= (this.#limits.requestsPerDay ?? Number.POSITIVE_INFINITY);
  }

  lent(charge: Charge, uses: number, nowMs: number): void {
    this.#turnTo(charge.day);
    this.#requestsOfDay += uses;
    // Nobody asks a lane without limits what it has used: what it remembers has to end by itself.
    this.#window.forget(nowMs);
    this.#window.charge(charge.atMs, uses, uses * charge.tokens);
  }

  /** Uses that were never started. */
  returned(charge: Charge, uses: number): void {
    this.#window.refund(charge.atMs, uses, uses * charge.tokens);
    if (charge.day === this.#day) this.#requestsOfDay -= uses;
  }

  /** One use has ended; what a success says of the limits is learnt. True when a belief changed. */
  ended(charge: Charge, end: UseEnd, nowMs: number): boolean {
    const isToday = charge.day === this.#day;
    if (end.how === "refused") {
      this.#window.refund(charge.atMs, 1, charge.tokens);
      if (isToday) this.#requestsOfDay--;
      return false;
    }
    const startedAtMs = Math.min(end.startedAtMs ?? charge.atMs, charge.atMs);
    this.#window.move(charge.atMs, charge.tokens, startedAtMs, end.promptTokens ?? charge.tokens);
    if (end.how !== "served") return false;
    if (isToday) this.#servedOfDay++;
    const requestsOfMinute = this.#served.add(startedAtMs);
    return this.#believe(
      learnFromSuccess(this.#learned, { requestsOfMinute, requestsOfDay: this.#servedOfDay }),
      nowMs,
    );
  }

  /** Learns from a refusal, after {@link ended} was told of it. True when a belief changed. */
  refused(facts: readonly QuotaFact[], nowMs: number): boolean {
    this.#window.forget(nowMs);
    const { requests, tokens } = this.#window.used;
    const used = {
      requestsOfMinute: requests,
      tokensOfMinute: tokens,
      requestsOfDay: this.#requestsOfDay,
      isMinuteWhole: nowMs - this.#countsFromMs >= WINDOW_MS,
    };
    return this.#believe(learnFromRefusal(this.#learned, facts, used, nowMs), nowMs);
  }

  /**
   * From when on one more use of so many tokens is within the limits, if nothing is given back before; 0 when it is
   * now. A use larger than the whole limit has room in an empty minute: the upstream is to judge it.
   */
  roomAtMs(tokens: number, nowMs: number, day: QuotaDay): number {
    this.#refresh(nowMs);
    if (this.isDayUsedUp(day)) return day.endsAtMs;
    const { requestsPerMinute = Infinity, tokensPerMinute = Infinity } = this.#limits;
    this.#window.forget(nowMs);
    return this.#window.emptiesToMs(requestsPerMinute - 1, Math.max(tokensPerMinute - tokens, 0));
  }

  /** Half of every quota is left: keys may be lent in advance, to be given back if nobody needs them. */
  isAmple(nowMs: number, day: QuotaDay): boolean {
    return !this.isLimited || this.ampleUses(0, nowMs, day) > 0;
  }

  /** How many uses of so many tokens may be lent until half of some quota is used; infinite where there is none. */
  ampleUses(tokens: number, nowMs: number, day: QuotaDay): number {
    const { requestsPerMinute, tokensPerMinute, requestsPerDay } = this.#limits;
    const { requestsOfMinute, tokensOfMinute, requestsOfDay } = this.usedAt(nowMs, day);
    return Math.min(
      usesBelow(requestsPerMinute, requestsOfMinute, 1),
      usesBelow(tokensPerMinute, tokensOfMinute, tokens),
      usesBelow(requestsPerDay, requestsOfDay, 1),
    );
  }

  /** What is counted now. */
  usedAt(
    nowMs: number,
    day: QuotaDay,
  ): { readonly requestsOfMinute: number; readonly tokensOfMinute: number; readonly requestsOfDay: number } {
    this.#window.forget(nowMs);
    const { requests, tokens } = this.#window.used;
    return { requestsOfMinute: requests, tokensOfMinute: tokens, requestsOfDay: this.#requestsOn(day) };
  }

  /** Moments remembered of the last minute: some hundreds at most. */
  get moments(): number {
    return this.#window.spans;
  }

  /** When the newest use counted; undefined when none does. */
  get newestUseMs(): number | undefined {
    return this.#window.newestMs;
  }

  /** Takes over what another lane, or an earlier run, has learnt and used. */
  absorb(
    learned: LearnedLimits,
    used: { readonly atMs: number; readonly requests: number; readonly tokens: number } | undefined,
    today: { readonly day: number; readonly requests: number } | undefined,
    nowMs: number,
  ): void {
    if (used !== undefined && used.requests > 0) this.#window.charge(used.atMs, used.requests, used.tokens);
    if (today !== undefined) {
      this.#turnTo(today.day);
      this.#requestsOfDay += today.requests;
    }
    this.#believe({ ...this.#learned, ...stillBelieved(learned, nowMs) }, nowMs);
  }

  /** Forgets what was learnt; what was used stays used. */
  forgetLearned(nowMs: number): void {
    this.#believe(NOTHING_LEARNED, nowMs);
  }

  #requestsOn({ number }: QuotaDay): number {
    return number === this.#day ? this.#requestsOfDay : 0;
  }

  #turnTo(day: number): void {
    if (day === this.#day) return;
    this.#day = day;
    this.#requestsOfDay = 0;
    this.#servedOfDay = 0;
  }

  #refresh(nowMs: number): void {
    if (nowMs >= this.#forgetAtMs) this.#believe(stillBelieved(this.#learned, nowMs), nowMs);
  }

  #believe(learned: LearnedLimits, nowMs: number): boolean {
    if (learned === this.#learned) return false;
    this.#learned = learned;
    this.#limits = limitsInForce(learned, this.#configured, nowMs);
    this.#forgetAtMs = nextForgottenMs(learned) ?? Number.POSITIVE_INFINITY;
    return true;
  }
}

/** Uses of this size that begin before the ample part of the limit is used. */
function usesBelow(limit: number | undefined, used: number, size: number): number {
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  const left = limit * AMPLE_BELOW - used;
  return left <= 0 ? 0 : Math.ceil(left / size);
}
