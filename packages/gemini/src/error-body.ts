/**
 * Reads Google's error bodies, in all their dialects, into one shape.
 * Runs on the HTTP workers and the probers. Gives what the body says, unjudged: classify.ts decides what it means.
 */
import { parseQuotaMessage, readDetails, type Violation } from "./error-details.ts";
import { type Fields, isFields, textOf } from "./json-fields.ts";

export interface ParsedError {
  /** HTTP status in the body; Interactions give none. */
  readonly code: number | undefined;
  /** Canonical status (`RESOURCE_EXHAUSTED`), or the string code of an Interactions error; "" when there is none. */
  readonly status: string;
  readonly message: string;
  /** Every `ErrorInfo.reason`, in order. */
  readonly reasons: readonly string[];
  /** Project number or id, from `ErrorInfo.metadata.consumer` or the message of old quota errors. */
  readonly consumer?: string;
  readonly violations: readonly Violation[];
  /** When a retry is said to be worth it, milliseconds; not to be believed for a day's quota. */
  readonly retryDelayMs?: number;
}

/** Error bodies longer than this are not read, characters; Google's largest are under 20,000. */
const ERROR_LENGTH_MAX = 262_144;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The JSON in a body: all of it, or the payload of its last `data:` event that is JSON. */
function jsonIn(text: string): unknown {
  const whole = parseJson(text);
  if (whole !== undefined || !text.includes("data:")) return whole;
  let last: unknown;
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line.startsWith("data:")) last = parseJson(line.slice("data:".length)) ?? last;
  }
  return last;
}

/** The object under `error`, out of the array that compatible routes and streamed arrays put around it. */
function errorIn(json: unknown): Fields | undefined {
  const holder = Array.isArray(json)
    ? (json as unknown[]).findLast((item) => isFields(item) && "error" in item)
    : json;
  if (!isFields(holder)) return undefined;
  return isFields(holder["error"]) ? holder["error"] : undefined;
}

/** The error object of a body, as it came; undefined when it holds none. Never throws. */
export function readErrorObject(body: string): Readonly<Record<string, unknown>> | undefined {
  return body.length > ERROR_LENGTH_MAX ? undefined : errorIn(jsonIn(body));
}

/**
 * Reads an error body.
 * @returns undefined when it holds no error object (HTML, empty, another shape). Never throws.
 */
export function parseErrorBody(body: string): ParsedError | undefined {
  const error = readErrorObject(body);
  if (error === undefined) return undefined;
  const message = textOf(error["message"]);
  const details = readDetails(error["details"]);
  const told = parseQuotaMessage(message);
  const consumer = details.consumer ?? told.consumer;
  const retryDelayMs = details.retryDelayMs ?? told.retryDelayMs;
  return {
    code: typeof error["code"] === "number" ? error["code"] : undefined,
    status: textOf(error["status"]) || textOf(error["code"]),
    message,
    reasons: details.reasons,
    violations:
      details.violations.length > 0 ? withLimits(details.violations, told.violations) : told.violations,
    ...(consumer === undefined ? {} : { consumer }),
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
  };
}

/** Fills a limit that the details leave out from the message, which lists the same quotas by metric. */
function withLimits(violations: readonly Violation[], told: readonly Violation[]): Violation[] {
  return violations.map((violation) => {
    if (violation.limit !== undefined) return violation;
    const limits = told.filter(({ metric }) => metric === violation.metric).map(({ limit }) => limit);
    // Minute and day share a metric: only an unambiguous limit may be taken.
    return new Set(limits).size === 1 ? { ...violation, limit: limits[0] } : violation;
  });
}
