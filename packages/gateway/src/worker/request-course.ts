/**
 * What one request has been through: its attempts so far, by what each is judged, what the next one must avoid, and what
 * the log will tell of it. Worker threads; one for each request. It keeps; core decides.
 */
import type { OutcomeKind } from "@gemini-gateway/core/outcome";
import { FRESH_TRAIL, type Trail } from "@gemini-gateway/core/retry-policy";
import type { Resource } from "@gemini-gateway/gemini/resources/resource-name";
import type { Route } from "@gemini-gateway/gemini/route";
import type { Admission } from "./admission.ts";
import type { RequestAffinity } from "./affinity/request-affinity.ts";
import { afterFailure } from "./after-failure.ts";
import type { AttemptSubject } from "./attempt.ts";
import type { LastFailure } from "./final-answer.ts";
import type { HeldUse } from "./lease-desk.ts";
import { reasonOf, type AttemptNote } from "./request-record.ts";
import type { RequestSize } from "./request-size.ts";
import type { Service } from "./service.ts";

export class RequestCourse implements AttemptSubject {
  readonly route: Route;
  readonly notes: AttemptNote[] = [];
  trail: Trail = FRESH_TRAIL;
  /** The last attempt that failed unseen. */
  last: LastFailure | undefined;
  /** Why the last attempt failed. */
  reason = "";
  /** Attempts that failed at a quota of tokens: a request may be too large for any. */
  tokenQuotaRefusals = 0;
  readonly #service: Service;
  readonly #affinity: RequestAffinity;
  readonly #size: RequestSize;
  readonly #startedAtMs: number;

  constructor(
    service: Service,
    { route, startedAtMs }: Admission,
    affinity: RequestAffinity,
    size: RequestSize,
  ) {
    this.route = route;
    this.#service = service;
    this.#affinity = affinity;
    this.#size = size;
    this.#startedAtMs = startedAtMs;
  }

  get refersTo(): readonly Resource[] {
    return this.#affinity.resources;
  }

  get isSigned(): boolean {
    return this.#affinity.isSigned;
  }

  get requestTokensFloor(): number {
    return this.#size.floor;
  }

  now(): number {
    return this.#service.now();
  }

  note({ keyId, fingerprint }: HeldUse, outcome: OutcomeKind): void {
    this.notes.push({ keyId, fingerprint, outcome });
  }

  /** Takes in an attempt that failed unseen; says whether another key is to be tried. */
  failed(use: HeldUse, failure: LastFailure): boolean {
    const { outcome } = failure;
    const mayBeElsewhere = outcome.kind === "foreign-resource" && this.#affinity.mayBeElsewhere(use);
    this.note(use, outcome.kind);
    this.last = failure;
    this.reason = reasonOf(outcome);
    if (outcome.kind === "quota-minute" && outcome.evidence.quotaId?.includes("Token") === true) {
      this.tokenQuotaRefusals += 1;
    }
    const next = afterFailure(
      this.#service,
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
