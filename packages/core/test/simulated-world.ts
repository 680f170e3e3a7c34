/** What a simulation is of: keys, workers, the ways between them, and an upstream that answers by chance. Types only. */
import type { HolderId, KeyId, LeaseWish } from "../src/lease.ts";
import type { LeasePocket } from "../src/lease-pocket.ts";
import type { Outcome } from "../src/outcome.ts";
import type { TokenGauge } from "../src/quota/token-gauge.ts";
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

/** The key whose project a request is bound to, or would rather stay with. */
export type Pin = Pick<LeaseWish, "onlyProjectOf" | "preferProjectOf">;

/** How requests ended; their sum is the number of requests once the simulation has come to rest. */
export interface Ends {
  served: number;
  passedOn: number;
  denied: number;
  /** Their worker died. */
  cutOff: number;
}

/** One request of a client. */
export interface SimulatedRequest {
  readonly model: string;
  readonly bytes: number;
  readonly pin: Pin;
  readonly tried: KeyId[];
  attempts: number;
  hasEnded: boolean;
}

/** One HTTP worker with its pocket. */
export interface SimulatedWorker {
  readonly holder: HolderId;
  readonly pocket: LeasePocket;
  readonly gauge: TokenGauge;
  readonly waiting: Map<string, SimulatedRequest[]>;
  readonly requests: Set<SimulatedRequest>;
  isAlive: boolean;
  /** Messages keep their order on each way. */
  toPrimaryMs: number;
  toWorkerMs: number;
}
