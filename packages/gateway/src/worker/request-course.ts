/**
 * What one request has been through: its attempts so far, what the next one must avoid, and what the log will tell of
 * it. Worker threads; one for each request. It keeps; core decides.
 */
import type { Outcome, OutcomeKind } from "@gemini-gateway/core/outcome";
import { FRESH_TRAIL, type Trail } from "@gemini-gateway/core/retry-policy";
import { afterFailure } from "./after-failure.ts";
import type { LastFailure } from "./final-answer.ts";
import type { KeptAnswer } from "./kept-answer.ts";
import type { HeldUse } from "./lease-desk.ts";
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

  note({ keyId, fingerprint }: HeldUse, outcome: OutcomeKind): void {
    this.notes.push({ keyId, fingerprint, outcome });
  }

  /** Takes in an attempt that failed unseen; says whether another key is to be tried. */
  failed(
    service: Service,
    use: HeldUse,
    outcome: Outcome,
    kept: KeptAnswer | undefined,
    sinceMs: number,
  ): boolean {
    this.note(use, outcome.kind);
    this.last = { outcome, kept };
    this.reason = reasonOf(outcome);
    if (outcome.kind === "quota-minute" && outcome.evidence.quotaId?.includes("Token") === true) {
      this.tokenQuotaRefusals += 1;
    }
    const { trail, goesOn } = afterFailure(service, this.trail, use, outcome.kind, sinceMs);
    this.trail = trail;
    return goesOn;
  }
}
