/**
 * How long to wait before the next try: exponential growth with jitter, as pure functions.
 * Used by the scheduler (rests of lanes, trials of keys). Holds no state and never draws a random number itself.
 */

/** Doublings after which a delay stops growing, whatever its maximum; keeps the power within exact numbers. */
const DOUBLINGS_MAX = 30;
/** A trial is put off by at most this many times its first delay. */
export const TRIAL_GROWTH_MAX = 8;
/** Trials are spread by this share of their delay, so that keys that failed together do not return together. */
const TRIAL_SPREAD = 0.1;

/**
 * Delay after the `failures`-th failure in a row: doubles from `minMs` up to `maxMs`, then its upper half is left to
 * chance. Never less than half of `minMs`, so that a rest is a rest.
 *
 * @param failures 1 for the first failure; smaller values count as 1.
 * @param random a number in [0, 1).
 */
export function jitteredBackoffMs(failures: number, minMs: number, maxMs: number, random: number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), DOUBLINGS_MAX);
  const ceilingMs = Math.min(maxMs, minMs * 2 ** doublings);
  return Math.ceil(ceilingMs / 2 + (ceilingMs / 2) * random);
}

/**
 * Delay before something out of service is tried again: doubles with each failed trial from `baseMs` to
 * {@link TRIAL_GROWTH_MAX} times it, give or take a tenth.
 *
 * @param failures 1 when it has just gone out of service; one more for each trial that failed.
 * @param random a number in [0, 1).
 */
export function trialDelayMs(failures: number, baseMs: number, random: number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), DOUBLINGS_MAX);
  const growth = Math.min(2 ** doublings, TRIAL_GROWTH_MAX);
  return Math.ceil(baseMs * growth * (1 - TRIAL_SPREAD + 2 * TRIAL_SPREAD * random));
}
