/**
 * What one request has been through: its attempts so far, what the next one must avoid, and what the log will tell of
 * it. Worker threads; one for each request. It keeps; core decides.
 */
import type { OutcomeKind } from "@gemini-gateway/core/outcome";
import { FRESH_TRAIL, type Trail } from "@gemini-gateway/core/retry-policy";
import { afterFailure } from "./after-failure.ts";
import type { LastFailure } from "./final-answer.ts";
import type { HeldUse } from "./lease-seeker.ts";
import { reasonOf, type AttemptNote } from "./request-record.ts";
import type { Service } from "./service.ts";

export class RequestCourse {
  readonly notes: AttemptNote[] = [];
  trail: Trail = FRESH_TRAIL;
  /** The last attempt that failed unseen. */
  last: LastFailure | undefined;
  /** Why the last attempt failed. */
  reason = "";
  /** Attempts that failed at a quota of tokens: a request may be too large for any. */
  tokenQuotaRefusals = 0;
  readonly #startedAtMs: number;

  /** @param startedAtMs when the request came */
  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs;
  }

  note({ keyId, fingerprint }: HeldUse, outcome: OutcomeKind): void {
    this.notes.push({ keyId, fingerprint, outcome });
  }

  /**
   * Takes in an attempt that failed unseen; says whether another key is to be tried.
   * @param mayBeElsewhere see {@link afterFailure}
   */
  failed(service: Service, use: HeldUse, failure: LastFailure, mayBeElsewhere: boolean): boolean {
    const { outcome } = failure;
    this.note(use, outcome.kind);
    this.last = failure;
    this.reason = reasonOf(outcome);
    if (outcome.kind === "quota-minute" && outcome.evidence.quotaId?.includes("Token") === true) {
      this.tokenQuotaRefusals += 1;
    }
    const next = afterFailure(
      service,
      this.trail,
      use.keyId,
      outcome.kind,
      mayBeElsewhere,
      this.#startedAtMs,
    );
    const { trail, goesOn } = next;
    this.trail = trail;
    return goesOn;
  }
}
