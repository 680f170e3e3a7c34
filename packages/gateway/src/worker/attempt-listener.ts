/** What an attempt is told of its request, and what it tells of itself. Worker threads. */
import type { Outcome } from "@gemini-gateway/core/outcome";
import type { Resource } from "@gemini-gateway/gemini/resources/resource-name";
import type { Route } from "@gemini-gateway/gemini/route";
import type { Attempt } from "./attempt.ts";
import type { KeptAnswer } from "./kept-answer.ts";

/** What of the request matters where an answer to it is judged. */
export interface AttemptSubject {
  readonly route: Route;
  /** What the request names and only one project can see. */
  readonly refersTo: readonly Resource[];
  /** Whether it carries thought signatures. */
  readonly isSigned: boolean;
  readonly requestTokensFloor: number;
  readonly tokenQuotaRefusals: number;
  now(): number;
}

/** What the request wants to hear from its attempt. After `failed` or `ended` nothing more is called. */
export interface AttemptListener {
  /** The answer is good: send the head, then the chunks held so far. */
  begun(attempt: Attempt, rawHeaders: readonly string[], held: readonly Buffer[]): void;
  /** More of an answer that has begun, in memory that is used again afterwards. Return false to be paused. */
  more(attempt: Attempt, chunk: Buffer): boolean;
  /** A whole answer small enough to be kept: send it. */
  whole(attempt: Attempt, answer: KeptAnswer): void;
  /** An answer that had begun is complete, or broke off with `failure`. */
  ended(attempt: Attempt, failure: Outcome | undefined): void;
  /** Nothing was sent to the client; `kept` is the upstream's answer, if it gave one that can be passed on. */
  failed(attempt: Attempt, outcome: Outcome, kept: KeptAnswer | undefined): void;
  /** One of the above threw: whatever it has not done yet is to be ended now. */
  faulted(attempt: Attempt): void;
}
