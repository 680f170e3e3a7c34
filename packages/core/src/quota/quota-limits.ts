/**
 * The quotas by which lanes are paced: how many requests and input tokens one project may use of one model.
 * Pure data; crosses threads and is stored.
 */

export const QUOTA_NAMES = ["requestsPerMinute", "tokensPerMinute", "requestsPerDay"] as const;

export type QuotaName = (typeof QUOTA_NAMES)[number];

/** Limits by name, each at least 1; what is absent is not limited as far as anybody knows. */
export type QuotaLimits = { readonly [Name in QuotaName]?: number };

/** What a refusal says of one quota: that it is used up and, where it is told, how large it is. */
export interface QuotaFact {
  readonly quota: QuotaName;
  /** At least 1. */
  readonly limit?: number;
}

export const NO_LIMITS: QuotaLimits = {};
