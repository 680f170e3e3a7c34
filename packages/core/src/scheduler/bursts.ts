/**
 * How many uses of one key a model lends together for later, where it has keys in plenty: one while there is little to do,
 * for then nothing is gained, and up to eight at thousands of requests a second. Limits that are known bound each burst by
 * themselves; of those nobody knows, a model that refuses something for its minute's quota is taken at its word for a
 * while. Part of the scheduler, primary thread; pure counting.
 */

/** A wish of 128 uses then is of sixteen keys: a pool of so many, which has never known otherwise, lends no less of each. */
const USES_MAX = 8;
/** Successes that are timed together. */
const TIMED = 256;
/** When they took no longer than this, a thousand a second, bursts grow; else they shrink. Milliseconds. */
const TIMED_MS = 256;
/** And when no longer than this, four thousand a second, there is far more to do than to find out. Milliseconds. */
const TIMED_RUSH_MS = 64;
/** After a refusal there are no bursts for so long: a burst too many is learnt from a few times an hour. Milliseconds. */
const PAUSE_MS = 600_000;

export class Bursts {
  #uses = 1;
  #isRush = false;
  #successes = 0;
  #timedFromMs = 0;
  #pausedUntilMs = 0;

  /** Uses that may be lent together, 1 for no bursts. */
  get uses(): number {
    return this.#uses;
  }

  /** Four thousand successes a second and more. */
  get isRush(): boolean {
    return this.#isRush;
  }

  served(nowMs: number): void {
    if (++this.#successes < TIMED) return;
    const tookMs = nowMs - this.#timedFromMs;
    const isBusy = tookMs <= TIMED_MS && nowMs >= this.#pausedUntilMs;
    this.#isRush = isBusy && tookMs <= TIMED_RUSH_MS;
    this.#uses = isBusy ? Math.min(this.#uses * 2, USES_MAX) : Math.max(this.#uses >> 1, 1);
    this.#successes = 0;
    this.#timedFromMs = nowMs;
  }

  /** A use was refused for its minute's quota. */
  refused(nowMs: number): void {
    this.#uses = 1;
    this.#isRush = false;
    this.#pausedUntilMs = nowMs + PAUSE_MS;
  }
}
