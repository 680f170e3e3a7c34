/**
 * The 429 bodies of quota (gemini-wire.md 3.2): Help, QuotaFailure with one violation per bucket, RetryInfo. Pure.
 * There is no Retry-After header, and on a daily violation RetryInfo still says seconds: both are Google's habits.
 */
import { SERVICE, TYPE_PREFIX, upstreamError } from "./error-bodies.ts";
import type { ErrorSubject, UpstreamError } from "./error-bodies.ts";
import type { Tier } from "./project-spec.ts";

export type QuotaDimension = "rpm" | "tpm" | "rpd";
export type QuotaFamily = "generate" | "embed";

/** One bucket that had no room. */
export interface QuotaViolation {
  readonly dimension: QuotaDimension;
  /** The bucket's size; 0 when the model is not open to the tier. */
  readonly limit: number;
}

interface QuotaName {
  readonly quotaId: string;
  readonly metric: string;
}

const GENERATE_FREE: Readonly<Record<QuotaDimension, QuotaName>> = {
  rpm: {
    quotaId: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
    metric: "generate_content_free_tier_requests",
  },
  rpd: {
    quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
    metric: "generate_content_free_tier_requests",
  },
  tpm: {
    quotaId: "GenerateContentInputTokensPerModelPerMinute-FreeTier",
    metric: "generate_content_free_tier_input_token_count",
  },
};

const GENERATE_PAID: Readonly<Record<QuotaDimension, QuotaName>> = {
  rpm: {
    quotaId: "GenerateRequestsPerMinutePerProjectPerModel-PaidTier",
    metric: "generate_content_paid_tier_requests",
  },
  rpd: {
    quotaId: "GenerateRequestsPerDayPerProjectPerModel-PaidTier",
    metric: "generate_requests_per_model_per_day",
  },
  tpm: {
    quotaId: "GenerateContentPaidTierInputTokensPerModelPerMinute",
    metric: "generate_content_paid_tier_input_token_count",
  },
};

const EMBED_FREE: Readonly<Record<QuotaDimension, QuotaName>> = {
  rpm: {
    quotaId: "EmbedContentRequestsPerMinutePerUserPerProjectPerModel-FreeTier",
    metric: "embed_content_free_tier_requests",
  },
  rpd: {
    quotaId: "EmbedContentRequestsPerDayPerUserPerProjectPerModel-FreeTier",
    metric: "embed_content_free_tier_requests",
  },
  tpm: {
    quotaId: "EmbedContentInputTokensPerModelPerMinute-FreeTier",
    metric: "embed_content_free_tier_input_token_count",
  },
};

const EMBED_PAID: Readonly<Record<QuotaDimension, QuotaName>> = {
  rpm: {
    quotaId: "EmbedContentRequestsPerMinutePerProjectPerModel-PaidTier2",
    metric: "embed_content_paid_tier_2_requests",
  },
  rpd: {
    quotaId: "EmbedContentRequestsPerDayPerProjectPerModel-PaidTier2",
    metric: "embed_content_paid_tier_2_requests",
  },
  tpm: {
    quotaId: "EmbedContentInputTokensPerModelPerMinute-PaidTier2",
    metric: "embed_content_paid_tier_2_input_token_count",
  },
};

const QUOTA_NAMES = {
  generate: { free: GENERATE_FREE, paid: GENERATE_PAID },
  embed: { free: EMBED_FREE, paid: EMBED_PAID },
} as const;

const RATE_LIMITS_URL = "https://ai.google.dev/gemini-api/docs/rate-limits";
const QUOTA_MESSAGE = `You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: ${RATE_LIMITS_URL}. To monitor your current usage, head to: https://ai.dev/rate-limit. `;

export interface QuotaErrorFacts {
  readonly model: string;
  readonly tier: Tier;
  readonly family: QuotaFamily;
  /** At least one. */
  readonly violations: readonly QuotaViolation[];
  /** Until the minute's bucket opens again, milliseconds. */
  readonly retryDelayMs: number;
}

/** The 429 for the buckets that had no room. */
export function quotaError(facts: QuotaErrorFacts): UpstreamError {
  const names = QUOTA_NAMES[facts.family][facts.tier];
  const lines = facts.violations.map(
    ({ dimension, limit }) =>
      `* Quota exceeded for metric: ${SERVICE}/${names[dimension].metric}, limit: ${limit}, model: ${facts.model}`,
  );
  const retrySeconds = facts.retryDelayMs / 1000;
  const message = `${QUOTA_MESSAGE}\n${lines.join("\n")}\nPlease retry in ${retrySeconds}s.`;
  return upstreamError(429, "RESOURCE_EXHAUSTED", message, [
    {
      "@type": `${TYPE_PREFIX}Help`,
      links: [{ description: "Learn more about Gemini API quotas", url: RATE_LIMITS_URL }],
    },
    {
      "@type": `${TYPE_PREFIX}QuotaFailure`,
      violations: facts.violations.map((violation) => violationDetail(violation, names, facts.model)),
    },
    { "@type": `${TYPE_PREFIX}RetryInfo`, retryDelay: `${Math.floor(retrySeconds)}s` },
  ]);
}

function violationDetail(
  { dimension, limit }: QuotaViolation,
  names: Readonly<Record<QuotaDimension, QuotaName>>,
  model: string,
): object {
  const { quotaId, metric } = names[dimension];
  const detail = {
    quotaMetric: `${SERVICE}/${metric}`,
    quotaId,
    quotaDimensions: { location: "global", model },
  };
  // Protobuf JSON leaves out a zero, so `limit: 0` is to be read from the message.
  return limit === 0 ? detail : { ...detail, quotaValue: String(limit) };
}

const DEFAULT_LIMITS: Readonly<Record<QuotaDimension, number>> = { rpm: 10, tpm: 250_000, rpd: 20 };

function scripted(
  dimensions: readonly QuotaDimension[],
  limit?: number,
): (subject: ErrorSubject) => UpstreamError {
  return (subject) =>
    quotaError({
      model: subject.resolvedModel,
      tier: "free",
      family: "generate",
      violations: dimensions.map((dimension) => ({ dimension, limit: limit ?? DEFAULT_LIMITS[dimension] })),
      retryDelayMs: 58_821.668_433,
    });
}

/** The old form: no violations, the consumer's number in ErrorInfo, and 0 meaning a dead project. */
function regionQuota(subject: ErrorSubject): UpstreamError {
  const consumer = `project_number:${subject.projectNumber}`;
  const message = `Quota exceeded for quota metric 'Generate Content API requests per minute' and limit 'GenerateContent request limit per minute for a region' of service '${SERVICE}' for consumer '${consumer}'.`;
  const metadata = {
    service: SERVICE,
    quota_metric: `${SERVICE}/generate_content_requests`,
    quota_limit: "GenerateContentRequestsPerMinutePerProjectPerRegion",
    quota_limit_value: "0",
    quota_location: "us-west4",
    consumer: `projects/${subject.projectNumber}`,
  };
  const info = {
    "@type": `${TYPE_PREFIX}ErrorInfo`,
    reason: "RATE_LIMIT_EXCEEDED",
    domain: "googleapis.com",
    metadata,
  };
  return upstreamError(429, "RESOURCE_EXHAUSTED", message, [info]);
}

/** The errors of this file by name; a script may ask for any of them. */
export const QUOTA_ERRORS = {
  "quota-minute": scripted(["rpm"]),
  "quota-day": scripted(["rpd"]),
  "quota-tokens": scripted(["tpm"]),
  "quota-day-and-minute": scripted(["rpd", "rpm", "tpm"]),
  "quota-zero": scripted(["rpd", "rpm", "tpm"], 0),
  "quota-region": regionQuota,
  "resource-exhausted": () =>
    upstreamError(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
} as const;
