/**
 * Spreads tests over time: so many a minute, and what was not used may be used later, up to a minute's worth. Pure
 * counting; the time comes in. Run by the primary.
 */
const MINUTE_MS = 60_000;

export class TestRate {
  readonly #perMinute: number;
  #ready: number;
  #countedAtMs: number;

  /** @param perMinute above 0. */
  constructor(perMinute: number, nowMs: number) {
    this.#perMinute = perMinute;
    this.#ready = perMinute;
    this.#countedAtMs = nowMs;
  }

  /** How many tests may begin now, a whole number. A clock that jumps back lets none begin that would not have. */
  available(nowMs: number): number {
    const passedMs = Math.max(nowMs - this.#countedAtMs, 0);
    this.#ready = Math.min(this.#ready + (passedMs * this.#perMinute) / MINUTE_MS, this.#perMinute);
    this.#countedAtMs = nowMs;
    return Math.floor(this.#ready);
  }

  /** Counts tests that begin. */
  use(tests: number): void {
    this.#ready -= tests;
  }

  /** Until the next test may begin, milliseconds; 0 when one may now. */
  waitMs(nowMs: number): number {
    if (this.available(nowMs) > 0) return 0;
    return Math.ceil(((1 - this.#ready) * MINUTE_MS) / this.#perMinute);
  }
}
