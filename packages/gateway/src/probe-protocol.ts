/**
 * What crosses between the primary thread and a prober thread: a batch of tests one way, its results the other, each as
 * one message. Plain data only, like protocol.ts.
 */
import type { Outcome } from "@gemini-gateway/core/outcome";
import type { ProbeAsk } from "@gemini-gateway/core/probing/ask";
import type { ClockAnchor } from "./steady-clock.ts";

/** How a prober thread reaches the upstream (`workerData`): the same way as traffic. May hold the proxy's password. */
export interface ProberStart {
  readonly upstream: string;
  /** Empty for none. */
  readonly proxy: string;
  readonly connectMs: number;
  /** The clock of the process's decisions. */
  readonly clock: ClockAnchor;
  readonly http2: boolean;
}

/** One test. `secret` travels in this message only. */
export interface ProbeTest {
  readonly secret: string;
  readonly ask: ProbeAsk;
  /** Bare name of a model; not used by `list`. */
  readonly model: string;
}

export interface ProbeBatch {
  readonly tests: readonly ProbeTest[];
  /** Tests at once, 1 or more. */
  readonly concurrency: number;
  /** Longest time of one test, connecting included, milliseconds. */
  readonly timeoutMs: number;
}

export interface ProbeResult {
  readonly outcome: Outcome;
  readonly durationMs: number;
}

/** The results in the order of the tests. */
export type ProbeReport = readonly ProbeResult[];

/** Name of the function that a prober thread runs on a batch. */
export const PROBER_FUNCTION = "runBatch";
