/**
 * Which quota a 429 speaks of, and until when it lasts. Runs on the HTTP workers.
 * Google counts per project and model; several exceeded quotas come in one error, and the longest decides.
 */
import type { Evidence, Outcome } from "@gemini-gateway/core/outcome";
import type { QuotaFact, QuotaName } from "@gemini-gateway/core/quota/quota-limits";
import type { ParsedError } from "./error-body.ts";
import type { Violation } from "./error-details.ts";
import { nextPacificMidnightMs } from "./pacific-midnight.ts";

/** Rest when a quota of the minute does not say how long, milliseconds. */
const MINUTE_MS = 60_000;
/** A delay longer than this is not about a minute's quota, milliseconds; decides only where no quota id does. */
const MINUTE_DELAY_MAX_MS = 300_000;

export interface QuotaSignal {
  readonly error: ParsedError;
  readonly evidence: Evidence;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Tokens that the request has at least; 0 when not known. */
  readonly requestTokensFloor: number;
  /** Token quotas of other keys that refused this very request before. */
  readonly tokenQuotaRefusals: number;
}

type Bucket = "day" | "minute" | "unknown";

/** The quota id tells; the metric is the same for day and minute, except where it is a title in prose. */
function bucketOf(violation: Violation): Bucket {
  const name = violation.quotaId || violation.metric;
  if (/per_?-? ?(?:day|week|month)|daily/i.test(name)) return "day";
  return /per_?-? ?(?:minute|second)/i.test(name) ? "minute" : "unknown";
}

function isTokenQuota(violation: Violation): boolean {
  return /token/i.test(violation.quotaId || violation.metric);
}

function withViolation(evidence: Evidence, violation: Violation): Evidence {
  const quotaId = (violation.quotaId || violation.metric).slice(0, 200);
  const { limit } = violation;
  return { ...evidence, reason: quotaId, quotaId, ...(limit === undefined ? {} : { quotaLimit: limit }) };
}

/** What the violation says of a quota the gateway can pace by; undefined when it names none of those. */
function factOf(violation: Violation): QuotaFact | undefined {
  const { limit } = violation;
  // Zero is no limit to keep within: the model is closed.
  if (limit === 0) return undefined;
  const isOfTokens = isTokenQuota(violation);
  const size = limit === undefined ? {} : { limit };
  switch (bucketOf(violation)) {
    case "minute":
      return /second/i.test(violation.quotaId)
        ? undefined
        : { quota: isOfTokens ? "tokensPerMinute" : "requestsPerMinute", ...size };
    case "day":
      return isOfTokens || !/per_?-? ?day|daily/i.test(violation.quotaId || violation.metric)
        ? undefined
        : { quota: "requestsPerDay", ...size };
    case "unknown":
      return undefined;
  }
}

/** The facts of all violations, each quota once: of two figures the smaller binds. */
function factsOf(violations: readonly Violation[]): QuotaFact[] {
  const facts = new Map<QuotaName, QuotaFact>();
  for (const violation of violations) {
    const fact = factOf(violation);
    if (fact === undefined) continue;
    const known = facts.get(fact.quota)?.limit ?? Number.POSITIVE_INFINITY;
    if (!facts.has(fact.quota) || (fact.limit ?? Number.POSITIVE_INFINITY) < known)
      facts.set(fact.quota, fact);
  }
  return [...facts.values()];
}

/**
 * True when the request alone is larger than the quota, so that no waiting and no key of that size helps: surely by
 * the floor, or probably, when another key's token quota has refused it too and the floor is half of it already.
 */
function isOverQuota(violation: Violation, signal: QuotaSignal): boolean {
  const { limit } = violation;
  if (limit === undefined || !isTokenQuota(violation)) return false;
  if (limit < signal.requestTokensFloor) return true;
  return signal.tokenQuotaRefusals >= 1 && signal.requestTokensFloor * 2 >= limit;
}

function dayOutcome(signal: QuotaSignal, evidence: Evidence): Outcome {
  const untilMs = nextPacificMidnightMs(signal.nowMs);
  return { kind: "quota-day", untilMs, retryAfterMs: signal.error.retryDelayMs ?? 0, evidence };
}

function minuteOutcome(signal: QuotaSignal, evidence: Evidence): Outcome {
  return { kind: "quota-minute", retryAfterMs: signal.error.retryDelayMs ?? MINUTE_MS, evidence };
}

/** The violations named by the error, in order of how long they bind. */
function judgeViolations(signal: QuotaSignal): Outcome | undefined {
  const { violations, retryDelayMs } = signal.error;
  const shut = violations.find(({ limit }) => limit === 0);
  if (shut !== undefined)
    return { kind: "model-unavailable", evidence: withViolation(signal.evidence, shut) };
  const over = violations.find((violation) => isOverQuota(violation, signal));
  if (over !== undefined)
    return { kind: "request-over-quota", evidence: withViolation(signal.evidence, over) };
  const daily = violations.find((violation) => bucketOf(violation) === "day");
  if (daily !== undefined) return dayOutcome(signal, withViolation(signal.evidence, daily));
  const [first] = violations;
  if (first === undefined) return undefined;
  const evidence = withViolation(signal.evidence, first);
  const nameless = violations.every((violation) => bucketOf(violation) === "unknown");
  const lasting = nameless && (retryDelayMs ?? 0) > MINUTE_DELAY_MAX_MS;
  return lasting ? dayOutcome(signal, evidence) : minuteOutcome(signal, evidence);
}

/** Errors that speak of a quota without naming it. */
function judgeWithoutViolations(signal: QuotaSignal): Outcome | undefined {
  const { error, evidence } = signal;
  if (error.status === "quota_exceeded") return dayOutcome(signal, evidence);
  const ofMinute =
    error.status === "rate_limit_exceeded" ||
    error.retryDelayMs !== undefined ||
    error.reasons.includes("RATE_LIMIT_EXCEEDED") ||
    error.message.startsWith("You exceeded your current quota");
  return ofMinute ? minuteOutcome(signal, evidence) : undefined;
}

/**
 * Judges a quota error.
 * @returns undefined when it names no quota at all ("Resource has been exhausted"): that is shared capacity, not the
 *   project's share.
 */
export function judgeQuota(signal: QuotaSignal): Outcome | undefined {
  const quotas = factsOf(signal.error.violations);
  const told = quotas.length === 0 ? signal : { ...signal, evidence: { ...signal.evidence, quotas } };
  return judgeViolations(told) ?? judgeWithoutViolations(told);
}
