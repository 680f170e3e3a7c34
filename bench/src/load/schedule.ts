/**
 * When the requests of a steady load leave: one after the other, evenly, the n-th when n intervals have passed. Pure; times
 * are milliseconds since its begin and must not fall.
 */

/**
 * What fell due while the sender itself was kept from its core leaves at most so many times as fast as it should have:
 * twice would be the whole of what a contender can serve at half load.
 */
const CATCH_UP_FACTOR = 1.5;
/** What such a pace is in so many milliseconds leaves in one go, and no more. */
const GO_MS = 0.5;

export class Schedule {
  readonly #ratePerMs: number;
  readonly #total: number;
  readonly #allowanceMax: number;
  #sent = 0;
  #lastMs = 0;
  /** Requests that may leave, by the pace of catching up. */
  #allowance = 1;

  constructor(order: { readonly ratePerSecond: number; readonly durationMs: number }) {
    this.#ratePerMs = order.ratePerSecond / 1000;
    this.#allowanceMax = Math.max(1, CATCH_UP_FACTOR * this.#ratePerMs * GO_MS);
    this.#total = Math.round(this.#ratePerMs * order.durationMs);
  }

  /** Whether all has left. */
  get isOver(): boolean {
    return this.#sent === this.#total;
  }

  /** How late the next request is; negative while none is due. */
  lateMs(nowMs: number): number {
    return nowMs - this.#sent / this.#ratePerMs;
  }

  /** How many requests leave now; they count as sent. */
  take(nowMs: number): number {
    const grown = this.#allowance + CATCH_UP_FACTOR * this.#ratePerMs * (nowMs - this.#lastMs);
    this.#allowance = Math.min(grown, this.#allowanceMax);
    this.#lastMs = nowMs;
    const due = Math.min(this.#total, Math.floor(nowMs * this.#ratePerMs) + 1) - this.#sent;
    const count = Math.max(0, Math.min(due, Math.floor(this.#allowance)));
    this.#allowance -= count;
    this.#sent += count;
    return count;
  }
}
