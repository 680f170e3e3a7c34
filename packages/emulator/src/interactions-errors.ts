/**
 * Errors in the dialect of the Interactions API (gemini-wire.md 3.5): a code in words, a message, nothing else. Pure.
 * What Google's front end finds wrong with a key it says in the native form, before the API is reached.
 */
import { TYPE_PREFIX } from "./error-bodies.ts";
import type { UpstreamError } from "./error-bodies.ts";

const CODES: Readonly<Record<number, string>> = {
  400: "invalid_request",
  401: "authentication",
  402: "payment_required",
  403: "permission_denied",
  404: "not_found",
  416: "out_of_range",
  429: "rate_limit_exceeded",
  499: "cancelled",
  500: "api_error",
  503: "service_unavailable",
  504: "deadline_exceeded",
};

/** Seconds a client is asked to wait when the error itself does not say. */
const RETRY_AFTER_SECONDS = 1;
/** Longest wait that is asked for, seconds. */
const RETRY_AFTER_SECONDS_MAX = 60;

/** The error as the Interactions API words it, with `retry-after` where trying again may help. */
export function interactionsError(error: UpstreamError): {
  readonly body: object;
  readonly headers: HeaderPairs;
} {
  if (isOfFrontEnd(error)) return { body: error.body, headers: error.headers ?? {} };
  const { message } = error.body.error;
  const isRetryable = error.status === 429 || error.status === 503;
  const headers = {
    ...error.headers,
    ...(isRetryable && { "retry-after": String(retryAfterSeconds(error)) }),
  };
  return { body: { error: { code: codeOf(error), message } }, headers };
}

type HeaderPairs = Readonly<Record<string, string>>;

function codeOf(error: UpstreamError): string {
  const { status, message, details } = error.body.error;
  if (status === "FAILED_PRECONDITION") return "failed_precondition";
  if (error.status === 404 && message.startsWith("models/")) return "model_not_found";
  if (error.status === 429 && JSON.stringify(details ?? []).includes("PerDay")) return "quota_exceeded";
  return CODES[error.status] ?? "api_error";
}

function isOfFrontEnd({ status, body }: UpstreamError): boolean {
  const types = (body.error.details ?? []).map((detail) => ("@type" in detail ? detail["@type"] : ""));
  return status !== 429 && types.includes(`${TYPE_PREFIX}ErrorInfo`);
}

function retryAfterSeconds({ body }: UpstreamError): number {
  for (const detail of body.error.details ?? []) {
    if (!("retryDelay" in detail)) continue;
    const seconds = Math.ceil(Number.parseFloat(String(detail.retryDelay)));
    return Math.min(RETRY_AFTER_SECONDS_MAX, Math.max(RETRY_AFTER_SECONDS, seconds));
  }
  return RETRY_AFTER_SECONDS;
}
