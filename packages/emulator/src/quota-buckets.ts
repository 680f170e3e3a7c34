/**
 * RPM, TPM and RPD of each project and resolved model, counted as Google does: per project, not per key. Pure but for
 * its own counters; the clock is passed in. Refused calls are not charged.
 */
import { pacificDay } from "./pacific-day.ts";
import type { QuotaSpec } from "./project-spec.ts";
import type { QuotaDimension, QuotaViolation } from "./quota-errors.ts";

const MINUTE_MS = 60_000;

/** Counters kept, over all projects and models; the oldest goes first. */
export const QUOTA_BUCKETS_MAX = 200_000;

interface Bucket {
  minute: number;
  requestsOfMinute: number;
  tokensOfMinute: number;
  day: string;
  requestsOfDay: number;
}

export interface QuotaCharge {
  readonly project: string;
  /** The resolved model: an alias is charged to the model that answers. */
  readonly model: string;
  readonly limits: QuotaSpec;
  /** Requests to charge: 1, or the number of texts of an embedding call. */
  readonly requests: number;
  readonly tokens: number;
}

export type QuotaVerdict =
  | { readonly kind: "charged" }
  | {
      readonly kind: "exceeded";
      readonly violations: readonly QuotaViolation[];
      /** To the end of this minute, also when the day is exhausted. */
      readonly retryDelayMs: number;
    };

export class QuotaBuckets {
  readonly #buckets = new Map<string, Bucket>();

  /** Charges every bucket, or none when one has no room. */
  charge(charge: QuotaCharge, nowMs: number): QuotaVerdict {
    const { limits } = charge;
    if (limits.rpm === undefined && limits.tpm === undefined && limits.rpd === undefined) {
      return { kind: "charged" };
    }
    const bucket = this.#bucketAt(charge, nowMs);
    const violations = violationsOf(bucket, charge);
    if (violations.length > 0) {
      return { kind: "exceeded", violations, retryDelayMs: (bucket.minute + 1) * MINUTE_MS - nowMs };
    }
    bucket.requestsOfMinute += charge.requests;
    bucket.tokensOfMinute += charge.tokens;
    bucket.requestsOfDay += charge.requests;
    return { kind: "charged" };
  }

  #bucketAt(charge: QuotaCharge, nowMs: number): Bucket {
    const minute = Math.floor(nowMs / MINUTE_MS);
    const name = `${charge.project}\n${charge.model}`;
    const bucket = this.#buckets.get(name) ?? this.#newBucket(name, nowMs);
    if (bucket.minute !== minute) {
      bucket.minute = minute;
      bucket.requestsOfMinute = 0;
      bucket.tokensOfMinute = 0;
      // Pacific midnight is the start of a minute, so the day is looked at only when the minute changes.
      const day = pacificDay(nowMs);
      if (bucket.day !== day) {
        bucket.day = day;
        bucket.requestsOfDay = 0;
      }
    }
    return bucket;
  }

  #newBucket(name: string, nowMs: number): Bucket {
    if (this.#buckets.size >= QUOTA_BUCKETS_MAX) {
      const oldest = this.#buckets.keys().next();
      if (!oldest.done) this.#buckets.delete(oldest.value);
    }
    const bucket: Bucket = {
      minute: Math.floor(nowMs / MINUTE_MS),
      requestsOfMinute: 0,
      tokensOfMinute: 0,
      day: pacificDay(nowMs),
      requestsOfDay: 0,
    };
    this.#buckets.set(name, bucket);
    return bucket;
  }
}

function violationsOf(bucket: Bucket, charge: QuotaCharge): readonly QuotaViolation[] {
  const { rpm, tpm, rpd } = charge.limits;
  // A model closed to the tier is reported in every dimension at once, as in the recordings.
  if (rpm === 0 || tpm === 0 || rpd === 0) return ALL_CLOSED;
  const violations: QuotaViolation[] = [];
  const check = (dimension: QuotaDimension, limit: number | undefined, wanted: number): void => {
    if (limit !== undefined && wanted > limit) violations.push({ dimension, limit });
  };
  check("rpd", rpd, bucket.requestsOfDay + charge.requests);
  check("rpm", rpm, bucket.requestsOfMinute + charge.requests);
  check("tpm", tpm, bucket.tokensOfMinute + charge.tokens);
  return violations;
}

const ALL_CLOSED: readonly QuotaViolation[] = [
  { dimension: "rpd", limit: 0 },
  { dimension: "rpm", limit: 0 },
  { dimension: "tpm", limit: 0 },
];
