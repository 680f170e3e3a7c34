/** What a simulation is of: keys, workers, the ways between them, and an upstream that answers by chance. Types only. */
import type { KeyId } from "../src/lease.ts";
import type { Outcome } from "../src/outcome.ts";
import type { SchedulerOptions } from "../src/scheduler/options.ts";

export interface World {
  readonly seed: number;
  readonly options: SchedulerOptions;
  readonly keys: readonly { readonly id: KeyId; readonly project: string | undefined }[];
  readonly workers: number;
  /** Attempts per request. */
  readonly attemptsMax: number;
  /** Longest way of a message, milliseconds; each takes a random part of it. */
  readonly messageMs: number;
  /** What the upstream answers to a use, and after how long. */
  readonly upstream: (
    keyId: KeyId,
    model: string,
    random: () => number,
    call: UpstreamCall,
  ) => UpstreamAnswer;
  /** Longest way of a request to the upstream, milliseconds; 0 by default. */
  readonly arrivalMs?: number;
}

/** A request as it arrives at the upstream. */
export interface UpstreamCall {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Bytes of the request. */
  readonly bytes: number;
}

export interface UpstreamAnswer {
  readonly outcome: Outcome;
  readonly tookMs: number;
  readonly promptTokens?: number;
}
