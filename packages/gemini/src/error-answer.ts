/**
 * Errors the gateway words itself, in the shape Google's clients understand, for every dialect they speak.
 * Runs on the HTTP workers. Texts given to it reach clients: they must hold no secret.
 */
import { readErrorObject } from "./error-body.ts";
import type { Route } from "./route.ts";
import { statusOfError } from "./status-names.ts";
import type { StreamDialect } from "./stream-inspector.ts";

/** "openai" is array-wrapped like "array": so Google answers on its compatible routes. */
export type AnswerDialect = "native" | "array" | "openai" | "interactions";

export interface AnswerError {
  /** HTTP status. */
  readonly code: number;
  /** Canonical name, such as `UNAVAILABLE`. */
  readonly status: string;
  readonly message: string;
  /** When a new try is worth it, milliseconds; told as RetryInfo, in whole seconds rounded up. */
  readonly retryAfterMs?: number;
  /** Machine-readable reason of our own, told as ErrorInfo. */
  readonly reason?: string;
}

/** Domain of our own reasons, so that nobody takes them for Google's. */
const ERROR_DOMAIN = "gemini-gateway";

const INTERACTIONS_CODES: ReadonlyMap<number, string> = new Map([
  [400, "invalid_request"],
  [401, "authentication"],
  [402, "payment_required"],
  [403, "permission_denied"],
  [404, "not_found"],
  [416, "out_of_range"],
  [429, "rate_limit_exceeded"],
  [499, "cancelled"],
  [503, "service_unavailable"],
  [504, "deadline_exceeded"],
]);

function errorDetails(error: AnswerError): object[] {
  const details: object[] = [];
  if (error.reason !== undefined) {
    details.push({
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason: error.reason,
      domain: ERROR_DOMAIN,
    });
  }
  if (error.retryAfterMs !== undefined) {
    const seconds = Math.max(0, Math.ceil(error.retryAfterMs / 1000));
    details.push({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${seconds}s` });
  }
  return details;
}

function nativeError(error: AnswerError): object {
  const details = errorDetails(error);
  const { code, message, status } = error;
  return { error: details.length === 0 ? { code, message, status } : { code, message, status, details } };
}

function interactionsError({ code, status, message }: AnswerError): { code: string; message: string } {
  const word = status === "FAILED_PRECONDITION" ? "failed_precondition" : INTERACTIONS_CODES.get(code);
  return { code: word ?? "api_error", message };
}

/** Which dialect a client of this route expects errors in. */
export function answerDialect(route: Pick<Route, "surface" | "answer">): AnswerDialect {
  if (route.surface !== "native") return route.surface;
  return route.answer === "json-array" ? "array" : "native";
}

/** A whole error body, laid out as Google does: two spaces and a line end. */
export function errorAnswer(error: AnswerError, dialect: AnswerDialect): string {
  if (dialect === "interactions")
    return `${JSON.stringify({ error: interactionsError(error) }, undefined, 2)}\n`;
  const native = nativeError(error);
  return `${JSON.stringify(dialect === "native" ? native : [native], undefined, 2)}\n`;
}

/** An error that came inside a 200, as the answer it should have been. */
export interface LateErrorAnswer {
  /** HTTP status. */
  readonly status: number;
  readonly body: string;
}

/**
 * Puts an error that came inside a 200 before anything else into an answer of its own: with its status, in the
 * dialect of the route, its words and details unchanged.
 * @param text JSON of the error, or the event or array that holds it, redacted.
 * @returns undefined when it holds no error. Never throws.
 */
export function lateErrorAnswer(text: string, dialect: AnswerDialect): LateErrorAnswer | undefined {
  const error = readErrorObject(text);
  if (error === undefined) return undefined;
  const { code, status } = error;
  const name = typeof status === "string" ? status : typeof code === "string" ? code : "";
  const isWrapped = dialect === "array" || dialect === "openai";
  const body = `${JSON.stringify(isWrapped ? [{ error }] : { error }, undefined, 2)}\n`;
  return { status: statusOfError(typeof code === "number" ? code : undefined, name), body };
}

/**
 * The one event that tells a client, mid-stream, that no more will come. For SSE a `data:` event is the only form
 * that crashes no known client; the openai client throws on an error object and would take an array for a chunk.
 *
 * @param atBoundary whether the bytes sent so far end between events; "start" when nothing was sent, "after-comma"
 *   when an array's next element is due.
 * @returns undefined when nothing can be said there: inside an array's element the connection can only be cut.
 */
export function lateErrorFrame(
  dialect: StreamDialect,
  atBoundary: boolean | "start" | "after-comma",
  error: AnswerError,
): string | undefined {
  if (dialect === "json-array") {
    if (atBoundary === false) return undefined;
    const opening = atBoundary === "start" ? "[" : atBoundary === "after-comma" ? "" : ",\r\n";
    return `${opening}${JSON.stringify(nativeError(error))}\n]`;
  }
  // Ends the line that was cut and the event it belongs to.
  const lineEnd = dialect === "sse" ? "\r\n" : "\n";
  return (atBoundary === false ? lineEnd + lineEnd : "") + errorEvent(dialect, error) + lineEnd + lineEnd;
}

function errorEvent(dialect: Exclude<StreamDialect, "json-array">, error: AnswerError): string {
  if (dialect !== "interactions-sse") return `data: ${JSON.stringify(nativeError(error))}`;
  return `event: error\ndata: ${JSON.stringify({ event_type: "error", error: interactionsError(error) })}`;
}
