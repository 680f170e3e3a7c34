/**
 * What the operator can choose about the scheduler, and the bounds it keeps by itself. Pure data.
 */
import { DEFAULT_RESTS } from "../rests.ts";
import type { Rests } from "../rests.ts";

export interface SchedulerOptions {
  readonly rests: Rests;
  /** Most uses in flight per project and model; 0 means no limit. */
  readonly projectConcurrencyMax: number;
  /** How long after it was lent a use may be started, milliseconds. */
  readonly leaseTtlMs: number;
}

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
/** Longest name of a model that is remembered, in UTF-16 units. */
export const MODEL_NAME_MAX = 200;
/** A use that was neither settled nor returned this long after its lease's end is given up as lost. */
export const USE_LOST_MS = 3_600_000;
/** Alarms handled in one call; the rest wait for the next, so that midnight for 100,000 lanes is no pause. */
export const ALARMS_PER_LEASE_MAX = 64;
export const ALARMS_PER_TICK_MAX = 2_048;
/** When every lane of a model is overloaded the fault is not theirs: they rest this long at most. */
export const OUTAGE_REST_MAX_MS = 2_000;
/** Uses lent in one go while a storm has left no lane to trust: enough to find one, few enough not to be wasted. */
export const DOUBTFUL_USES_MAX = 4;
/** Excluded keys of one wish that are looked at; more than any request may try. */
export const EXCLUDED_KEYS_MAX = 32;
