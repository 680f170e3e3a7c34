/**
 * How much retrying is allowed: a ratio over all requests, so that an outage of the upstream is not multiplied, and
 * limits per request. Run by each HTTP worker thread for its own requests. Pure counting, no clock.
 */

export interface RetryBudgetOptions {
  /** Retries allowed per request on average; 0.5 means one retry for every two requests. */
  readonly ratio: number;
  /** Retries allowed at once after a quiet time, and the most that can be saved up. */
  readonly burst: number;
}

/**
 * A bucket of retries: each request adds `ratio` of one, each retry takes one, and it holds `burst` at most. It starts
 * full, so that the first requests of a fresh pool may look for a key that works.
 */
export class RetryBudget {
  readonly #options: RetryBudgetOptions;
  #retries: number;

  constructor(options: RetryBudgetOptions) {
    this.#options = options;
    this.#retries = options.burst;
  }

  /** Retries that could be taken now, not rounded. */
  get available(): number {
    return this.#retries;
  }

  /** To call once for each request, before its first attempt. */
  deposit(): void {
    this.#retries = Math.min(this.#retries + this.#options.ratio, this.#options.burst);
  }

  /** Takes one retry; false when none is left, and then the failure at hand is passed on. */
  tryWithdraw(): boolean {
    if (this.#retries < 1) return false;
    this.#retries -= 1;
    return true;
  }
}

/** One request's use of its own limits. Moments and spans in milliseconds. */
export interface RequestAttempts {
  /** Attempts made so far, the first included. */
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly startedAtMs: number;
  readonly nowMs: number;
  /** No retry begins later than this after the start. */
  readonly timeMs: number;
}

/** True when the request's own limits allow another attempt. A clock that went back counts as no time passed. */
export function mayRetry({ attempt, attemptsMax, startedAtMs, nowMs, timeMs }: RequestAttempts): boolean {
  return attempt < attemptsMax && Math.max(nowMs - startedAtMs, 0) < timeMs;
}
