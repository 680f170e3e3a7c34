/**
 * What the operator can choose about the scheduler, and the bounds it keeps by itself. Pure data.
 */
import { DEFAULT_RESTS } from "../rests.ts";
import type { Rests } from "../rests.ts";
import type { QuotaLimits } from "../quota/quota-limits.ts";

export interface SchedulerOptions {
  readonly rests: Rests;
  /** Most uses in flight per project and model; 0 means no limit. */
  readonly projectConcurrencyMax: number;
  /** How long after it was lent a use may be started, milliseconds. */
  readonly leaseTtlMs: number;
  /** Limits per project that the operator knows, by model; those under {@link EVERY_MODEL} hold for all others. */
  readonly quotas?: ReadonlyMap<string, QuotaLimits>;
  /** The end of the day for which quotas of the day count: the first one after `nowMs`. By default UTC midnight. */
  readonly quotaDayEndMs?: (nowMs: number) => number;
}

/** Stands for the models without limits of their own; lanes of a kind of call (`model:call`) are not among them. */
export const EVERY_MODEL = "*";

export const DEFAULT_SCHEDULER_OPTIONS: SchedulerOptions = {
  rests: DEFAULT_RESTS,
  projectConcurrencyMax: 0,
  leaseTtlMs: 5_000,
};

/** Most models remembered at once; the least recently asked one gives way. */
export const MODELS_MAX = 1_000;
/** Most lanes remembered over all models; beyond it a model works with the lanes it has. */
export const LANES_MAX = 1_000_000;
/** A model nobody asked for during this time is forgotten, unless a lane of it still rests. */
export const MODEL_IDLE_MS = 6 * 3_600_000;
/** One whose lanes have learnt limits, or count a day's use, is kept this long: they would be learnt at a price again. */
export const LIMITED_MODEL_IDLE_MS = 7 * 86_400_000;
/** Longest name of a model that is remembered, in UTF-16 units. */
export const MODEL_NAME_MAX = 200;
/**
 * A use that was neither settled nor returned this long after its lease's end is given up as lost. A net under faults of
 * our own: longer than any stream or Live session runs, since what is given up no longer counts as in flight.
 */
export const USE_LOST_MS = 86_400_000;
/** Alarms handled in one call; the rest wait for the next, so that midnight for 100,000 lanes is no pause. */
export const ALARMS_PER_LEASE_MAX = 64;
export const ALARMS_PER_TICK_MAX = 2_048;
/** When every lane of a model is overloaded the fault is not theirs: they rest this long at most. */
export const OUTAGE_REST_MAX_MS = 2_000;
/** Uses lent in one go while a storm has left no lane to trust: enough to find one, few enough not to be wasted. */
export const DOUBTFUL_USES_MAX = 4;
/** A key whose quota is paced is held unused no longer than this: others may use it meanwhile. */
export const PACED_TTL_MS = 1_500;
/** With so many lanes open, uses lent in advance are spread so thin that none is missed. */
export const PLENTY_LANES = 32;
/** Open lanes without room for a large request that one choice passes over. */
export const MISFITS_SEEN_MAX = 16;
/** Excluded keys of one wish that are looked at; more than any request may try. */
export const EXCLUDED_KEYS_MAX = 32;
