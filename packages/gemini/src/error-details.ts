/**
 * Reads the typed details of a Google error, and the quota facts its message states in prose.
 * Runs on the HTTP workers and the probers. Tolerates any shape: what is not as expected is left out.
 */
import { type Fields, fieldsIn, fieldsOf, textOf } from "./json-fields.ts";

/** One exceeded quota, as far as the body names it. */
export interface Violation {
  /** Such as `GenerateRequestsPerDayPerProjectPerModel-FreeTier`; "" when only the message told of it. */
  readonly quotaId: string;
  /** Metric or, in old bodies, its title. It does not tell a day's quota from a minute's unless it is a title. */
  readonly metric: string;
  /** The quota's size; 0 means that the model is not open to the project at all. Undefined when not told. */
  readonly limit: number | undefined;
  /** The model charged, which may be another than the one asked for. */
  readonly model?: string;
}

export interface ErrorDetails {
  readonly reasons: readonly string[];
  readonly consumer: string | undefined;
  readonly violations: readonly Violation[];
  readonly retryDelayMs: number | undefined;
}

/** Violations and details looked at; Google sends up to a dozen. */
const ENTRIES_MAX = 32;
/** Longest delay believed, milliseconds. A day and an hour: no quota takes longer to return. */
const RETRY_DELAY_MAX_MS = 90_000_000;

/** int64 comes as a string in JSON. */
function count(value: unknown): number | undefined {
  if (typeof value !== "number" && (typeof value !== "string" || value.trim() === "")) return undefined;
  const parsed = Number(value);
  return Number.isFinite(parsed) && parsed >= 0 ? parsed : undefined;
}

function boundedDelay(delayMs: number): number | undefined {
  return Number.isFinite(delayMs) && delayMs >= 0
    ? Math.min(Math.ceil(delayMs), RETRY_DELAY_MAX_MS)
    : undefined;
}

/** A protobuf duration: `"58.8s"`, or `{seconds, nanos}` as some front ends spell it. Milliseconds. */
function durationMs(value: unknown): number | undefined {
  if (typeof value === "string") {
    const seconds = /^(\d+(?:\.\d+)?)s$/.exec(value.trim())?.[1];
    return seconds === undefined ? undefined : boundedDelay(Number(seconds) * 1000);
  }
  const { seconds, nanos } = fieldsOf(value);
  const wholeSeconds = count(seconds);
  const nanoseconds = count(nanos);
  if (wholeSeconds === undefined && nanoseconds === undefined) return undefined;
  return boundedDelay((wholeSeconds ?? 0) * 1000 + (nanoseconds ?? 0) / 1e6);
}

/** `projects/123` or `project_number:123` → `123`. An `api_key:` consumer is the key itself and never taken. */
function projectOf(consumer: unknown): string | undefined {
  return /^(?:projects\/|project_number:|project:)([\w:.-]{1,64})$/.exec(textOf(consumer))?.[1];
}

function violationOf(violation: Fields): Violation {
  const model = textOf(fieldsOf(violation["quotaDimensions"])["model"]);
  return {
    quotaId: textOf(violation["quotaId"]),
    metric: textOf(violation["quotaMetric"]),
    limit: count(violation["quotaValue"]),
    ...(model === "" ? {} : { model }),
  };
}

/** The form of before QuotaFailure: one quota in the metadata of an ErrorInfo. */
function oldViolationOf(metadata: Fields): Violation | undefined {
  const quotaId = textOf(metadata["quota_limit"]);
  if (quotaId === "") return undefined;
  return { quotaId, metric: textOf(metadata["quota_metric"]), limit: count(metadata["quota_limit_value"]) };
}

/** Reads `error.details`. Never throws. */
export function readDetails(details: unknown): ErrorDetails {
  const reasons: string[] = [];
  const violations: Violation[] = [];
  let consumer: string | undefined;
  let retryDelayMs: number | undefined;
  for (const detail of fieldsIn(details).slice(0, ENTRIES_MAX)) {
    const type = textOf(detail["@type"]);
    if (type.endsWith("google.rpc.ErrorInfo")) {
      const metadata = fieldsOf(detail["metadata"]);
      if (textOf(detail["reason"]) !== "") reasons.push(textOf(detail["reason"]));
      consumer ??= projectOf(metadata["consumer"]);
      const old = oldViolationOf(metadata);
      if (old !== undefined) violations.push(old);
    } else if (type.endsWith("google.rpc.QuotaFailure")) {
      violations.push(...fieldsIn(detail["violations"]).map(violationOf));
    } else if (type.endsWith("google.rpc.RetryInfo")) {
      retryDelayMs ??= durationMs(detail["retryDelay"]);
    }
  }
  return { reasons, consumer, violations: violations.slice(0, ENTRIES_MAX), retryDelayMs };
}

/** What the message of a quota error says in prose; used where the details are missing. */
export interface QuotaMessage {
  readonly consumer: string | undefined;
  readonly violations: readonly Violation[];
  readonly retryDelayMs: number | undefined;
}

const METRIC_LINE = /Quota exceeded for metric: ([^\s,]+)(?:, limit: (\d+))?(?:, model: ([^\s,]+))?/g;
const OLD_SENTENCE =
  /^Quota exceeded for quota metric '([^']*)' and limit '([^']*)'(?:.*for consumer '([^']*)')?/s;
const RETRY_SENTENCE = /Please retry in (?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)(ms|s))?/;

function retrySentenceMs(message: string): number | undefined {
  const match = RETRY_SENTENCE.exec(message);
  if (match === null) return undefined;
  const [, hours, minutes, amount, unit] = match;
  if (hours === undefined && minutes === undefined && amount === undefined) return undefined;
  const rest = Number(amount ?? 0) * (unit === "ms" ? 1 : 1000);
  return boundedDelay(Number(hours ?? 0) * 3_600_000 + Number(minutes ?? 0) * 60_000 + rest);
}

/** Reads the prose of a quota error's message. Never throws. */
export function parseQuotaMessage(message: string): QuotaMessage {
  const violations: Violation[] = [];
  for (const [, metric, limit, model] of message.matchAll(METRIC_LINE)) {
    if (violations.length === ENTRIES_MAX) break;
    violations.push({ quotaId: "", metric: metric ?? "", limit: count(limit), ...(model ? { model } : {}) });
  }
  const old = OLD_SENTENCE.exec(message);
  // Its two titles are prose ("… per minute"), and take the place of metric and id.
  if (old !== null) violations.push({ quotaId: old[2] ?? "", metric: old[1] ?? "", limit: undefined });
  return { consumer: projectOf(old?.[3]), violations, retryDelayMs: retrySentenceMs(message) };
}
