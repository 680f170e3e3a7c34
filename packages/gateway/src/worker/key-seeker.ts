/**
 * What one request wants of a key, as the lease desk has to know it: for which model, how large, what it has tried.
 * Worker threads; one for each request.
 */
import type { Denial, KeyId } from "@gemini-gateway/core/lease";
import type { Trail } from "@gemini-gateway/core/retry-policy";
import { quotaLane } from "@gemini-gateway/gemini/quota-lane";
import type { Admission } from "./admission.ts";
import type { RequestAffinity } from "./affinity/request-affinity.ts";
import type { HeldUse, KnownOwner, LeaseSeeker } from "./lease-desk.ts";
import type { RequestCourse } from "./request-course.ts";
import type { RequestSize } from "./request-size.ts";
import type { Service } from "./service.ts";

/** Whose request it is. Exactly one of these is called for each {@link KeySeeker.seek}, unless it was cancelled. */
export interface KeyTaker {
  leased(use: HeldUse): void;
  denied(denial: Denial, owner: KnownOwner | undefined): void;
}

export class KeySeeker implements LeaseSeeker {
  /** From the path; when it is in the body, "" until that is read. */
  model: string;
  readonly #service: Service;
  readonly #admission: Admission;
  readonly #course: RequestCourse;
  readonly #affinity: RequestAffinity;
  readonly #size: RequestSize;
  readonly #taker: KeyTaker;
  #isSeeking = false;

  constructor(
    service: Service,
    admission: Admission,
    course: RequestCourse,
    affinity: RequestAffinity,
    size: RequestSize,
    taker: KeyTaker,
  ) {
    this.model = admission.route.model ?? "";
    this.#service = service;
    this.#admission = admission;
    this.#course = course;
    this.#affinity = affinity;
    this.#size = size;
    this.#taker = taker;
  }

  get isSeeking(): boolean {
    return this.#isSeeking;
  }

  get lane(): string {
    return quotaLane(this.#admission.route, this.model);
  }

  get trail(): Trail {
    return this.#course.trail;
  }

  get resources(): readonly string[] | undefined {
    return this.#affinity.names;
  }

  get preference(): KeyId | undefined {
    return this.#affinity.preference;
  }

  get onlyProjectOf(): KeyId | undefined {
    return this.#affinity.onlyProjectOf;
  }

  get waitUntilMs(): number {
    return this.#admission.startedAtMs + this.#service.config.lease.maxWaitMs;
  }

  get tokens(): number {
    return this.#size.guess(this.model);
  }

  /** Asks for a key; the answer may come before this returns. */
  seek(): void {
    this.#isSeeking = true;
    this.#service.desk.seek(this);
  }

  /** The key is no longer wanted. */
  cancel(): void {
    if (this.#isSeeking) this.#service.desk.cancel(this);
    this.#isSeeking = false;
  }

  leased(use: HeldUse): void {
    this.#isSeeking = false;
    this.#taker.leased(use);
  }

  denied(denial: Denial, owner?: KnownOwner): void {
    this.#isSeeking = false;
    this.#taker.denied(denial, owner);
  }
}
