/**
 * How long each kind of failure keeps a key, a project or a lane out of use. Pure data; chosen by the operator's
 * configuration, read by the state machines of the scheduler (primary thread).
 */

/** All in milliseconds, all above 0. */
export interface Rests {
  /** First rest of a lane whose upstream was overloaded, or whose answer was empty or broken. */
  readonly overloadedMinMs: number;
  /** Longest such rest, reached by doubling. */
  readonly overloadedMaxMs: number;
  /** From a billing failure to the first trial of the project. */
  readonly billingMs: number;
  /** From a dead key's (or denied project's) failure to its first trial. */
  readonly keyDeadMs: number;
  /** From a misconfigured key's failure to its first trial. */
  readonly keyMisconfiguredMs: number;
  /** From "this model is not open to you" to the first trial of the lane. */
  readonly modelUnavailableMs: number;
  /** Between trials of a lane whose day is exhausted. */
  readonly quotaDayTrialMs: number;
  /** Longest rest for a minute's quota, whatever the upstream asks. */
  readonly quotaMinuteMaxMs: number;
}

/** Rests that suit Google's published behaviour; each can be configured. */
export const DEFAULT_RESTS: Rests = {
  overloadedMinMs: 500,
  overloadedMaxMs: 30_000,
  billingMs: 3_600_000,
  keyDeadMs: 86_400_000,
  keyMisconfiguredMs: 21_600_000,
  modelUnavailableMs: 21_600_000,
  quotaDayTrialMs: 3_600_000,
  quotaMinuteMaxMs: 300_000,
};

/** A trial that proved nothing (the caller left, the network failed) is repeated after this long. */
export const TRIAL_AGAIN_MS = 30_000;

/** What a transition may know beside its state and its event. */
export interface TransitionContext {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly rests: Rests;
  /** Draws a number in [0, 1). */
  readonly random: () => number;
}

/** The end of one use, as the state machines see it. */
export interface SettledEvent<Kinds> {
  readonly kind: "settled";
  readonly outcome: Kinds;
  /** True when the use was lent before the state last changed: old news, which must not extend or undo a rest. */
  readonly late: boolean;
}
