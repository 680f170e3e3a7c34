/**
 * What one attempt at the upstream meant: the vocabulary in which the worker reports and the scheduler decides.
 * Pure data, so that it can cross threads and be stored.
 */
import type { QuotaFact } from "./quota/quota-limits.ts";

/** Why an outcome was chosen: enough to explain it to an operator, never a secret. Every text is redacted and bounded. */
export interface Evidence {
  /** HTTP status of the upstream's answer, or 0 when there was none. */
  readonly httpStatus: number;
  /** Google's `ErrorInfo.reason`, `status`, quota id or a word of our own; at most 200 characters. */
  readonly reason: string;
  /** The upstream's message, redacted, at most 500 characters. */
  readonly message: string;
  /** Project number from `ErrorInfo.metadata.consumer` (`projects/123` → `123`), when the answer named it. */
  readonly consumer?: string;
  /** Quota id of the violation that decided, and its `quotaValue`. */
  readonly quotaId?: string;
  readonly quotaLimit?: number;
  /** Every quota that the answer named as used up and by which lanes are paced. */
  readonly quotas?: readonly QuotaFact[];
}

export type DeadReason = "invalid" | "unauthenticated" | "suspended" | "denied" | "leaked";
export type MisconfiguredReason =
  | "service-disabled"
  | "service-blocked"
  | "referrer-blocked"
  | "ip-blocked"
  | "app-blocked";

/** The outcome of one attempt. `kind` alone decides what happens next; see {@link effectOf}. */
export type Outcome =
  | { readonly kind: "served" }
  | { readonly kind: "caller-fault"; readonly evidence: Evidence }
  | { readonly kind: "caller-left" }
  | { readonly kind: "key-dead"; readonly reason: DeadReason; readonly evidence: Evidence }
  | { readonly kind: "key-misconfigured"; readonly reason: MisconfiguredReason; readonly evidence: Evidence }
  | { readonly kind: "billing"; readonly evidence: Evidence }
  | { readonly kind: "quota-minute"; readonly retryAfterMs: number; readonly evidence: Evidence }
  | {
      readonly kind: "quota-day";
      /** Moment the day's quota returns (Pacific midnight), milliseconds since the epoch. */
      readonly untilMs: number;
      /** What the upstream's RetryInfo said, milliseconds; 0 when it said nothing. Not to be believed for a day. */
      readonly retryAfterMs: number;
      readonly evidence: Evidence;
    }
  | { readonly kind: "model-unavailable"; readonly evidence: Evidence }
  | { readonly kind: "request-over-quota"; readonly evidence: Evidence }
  | { readonly kind: "foreign-resource"; readonly evidence: Evidence }
  | { readonly kind: "overloaded"; readonly evidence: Evidence }
  | { readonly kind: "empty"; readonly evidence: Evidence }
  | { readonly kind: "broken"; readonly evidence: Evidence }
  | { readonly kind: "network"; readonly evidence: Evidence }
  | { readonly kind: "location"; readonly evidence: Evidence };

export type OutcomeKind = Outcome["kind"];

/** Whom the next attempt must avoid. */
export type NextAttempt =
  /** The answer is passed on as it is. */
  | "none"
  /** Another key if there is one, else the same again: the key had no part in the failure. */
  | "any-key"
  /** Any other key. */
  | "other-key"
  /** A key of another project. */
  | "other-project"
  /** A key of another project, but only once per request: the model may not be open to any. */
  | "other-project-once";

/** What an outcome leads to for the request; what it does to the key is the scheduler's table. */
export interface Effect {
  readonly next: NextAttempt;
  /** True when the attempt proves the key and the model work. */
  readonly proves: boolean;
}

const EFFECTS: Readonly<Record<OutcomeKind, Effect>> = {
  served: { next: "none", proves: true },
  "caller-fault": { next: "none", proves: false },
  "caller-left": { next: "none", proves: false },
  "key-dead": { next: "other-key", proves: false },
  "key-misconfigured": { next: "other-key", proves: false },
  billing: { next: "other-project", proves: false },
  "quota-minute": { next: "other-project", proves: false },
  "quota-day": { next: "other-project", proves: false },
  "model-unavailable": { next: "other-project-once", proves: false },
  "request-over-quota": { next: "none", proves: false },
  "foreign-resource": { next: "none", proves: false },
  overloaded: { next: "other-key", proves: false },
  empty: { next: "other-key", proves: false },
  broken: { next: "other-key", proves: false },
  network: { next: "any-key", proves: false },
  location: { next: "none", proves: false },
};

/** The effect of an outcome on the request, by the design's table. */
export function effectOf(kind: OutcomeKind): Effect {
  return EFFECTS[kind];
}
