/** Answers the gateway gives by itself, in the error shape the client's own dialect expects. Worker threads. */
import { type ErrorCode, errorAnswerAbout } from "@gemini-gateway/core/error-codes";
import { errorAnswer, type AnswerDialect } from "@gemini-gateway/gemini/error-answer";
import type { ClientCall, ClientResponse } from "./client/client-call.ts";

/** Longest `Retry-After` told to a client, seconds: a day and an hour covers every daily quota. */
const RETRY_AFTER_MAX_SECONDS = 90_000;

/** Methods that any path may be asked with; the upstream may still refuse one. */
export const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** Headers that HTTP asks of a status (RFC 9110, 11.6.1 and 15.5.6). */
const HEADERS_OF: Partial<Record<ErrorCode, readonly string[]>> = {
  unauthenticated: ["www-authenticate", 'Bearer realm="gemini-gateway"'],
  "method-not-allowed": ["allow", [...METHODS, "OPTIONS"].join(", ")],
};

export interface OwnAnswer {
  readonly code: ErrorCode;
  readonly status: number;
  readonly body: string;
  /** Flat name, value list. */
  readonly headers: readonly string[];
}

/**
 * Words one of the gateway's own errors.
 * @param retryAfterAskedMs when the client may try again; undefined when nothing is known. More is told as the longest.
 * @param resources named in the text; as the client named them, and none that opens something
 */
export function ownAnswer(
  code: ErrorCode,
  dialect: AnswerDialect,
  retryAfterAskedMs?: number,
  resources: readonly string[] = [],
): OwnAnswer {
  // Text, body and headers name one moment.
  const retryAfterMs =
    retryAfterAskedMs === undefined ? undefined : Math.min(retryAfterAskedMs, RETRY_AFTER_MAX_SECONDS * 1000);
  const { status, canonical, text: words } = errorAnswerAbout(code, resources);
  const isForOwner = resources.length > 0 && retryAfterMs !== undefined;
  const text = isForOwner ? `${words} It may work in ${retryAfterSeconds(retryAfterMs)} s.` : words;
  const error =
    retryAfterMs === undefined
      ? { code: status, status: canonical, message: text }
      : { code: status, status: canonical, message: text, retryAfterMs };
  const body = errorAnswer(error, dialect);
  const headers = [
    "content-type",
    "application/json; charset=UTF-8",
    "content-length",
    String(Buffer.byteLength(body)),
  ];
  if (retryAfterMs !== undefined) headers.push(...retryAfterHeaders(retryAfterMs, dialect));
  return { code, status, body, headers: [...headers, ...(HEADERS_OF[code] ?? [])] };
}

/** In the dialect of Interactions no body can say it, and the client takes milliseconds too. */
export function retryAfterHeaders(retryAfterMs: number, dialect: AnswerDialect): readonly string[] {
  const seconds = ["retry-after", retryAfterSeconds(retryAfterMs)];
  return dialect === "interactions"
    ? [...seconds, "retry-after-ms", retryAfterWholeMs(retryAfterMs)]
    : seconds;
}

function retryAfterWholeMs(retryAfterMs: number): string {
  return String(Math.min(RETRY_AFTER_MAX_SECONDS * 1000, Math.max(1, Math.ceil(retryAfterMs))));
}

/** Whole seconds, at least 1: a client that comes back at once would find the same. */
function retryAfterSeconds(retryAfterMs: number): string {
  return String(Math.min(RETRY_AFTER_MAX_SECONDS, Math.max(1, Math.ceil(retryAfterMs / 1000))));
}

/** Sends an own answer with `extraHeaders` (flat list). Does nothing when the response has begun. */
export function sendOwnAnswer(
  response: ClientResponse,
  answer: OwnAnswer,
  extraHeaders: readonly string[],
): void {
  if (response.hasBegun || response.isLost) return;
  response.send(answer.status, [...answer.headers, ...extraHeaders], answer.body);
}

/**
 * Sends an own answer to a request whose body is not wanted, and settles what becomes of the connection: it goes on
 * when the rest of the body can be read past, else it ends with the answer.
 */
export function sendRefusal(call: ClientCall, answer: OwnAnswer, extraHeaders: readonly string[]): void {
  const isUnreadable = answer.code === "malformed-request" || answer.code === "unfinished-request";
  // Whoever waits for leave to send may now send the body or not: only a new connection makes that clear.
  const isLast = isUnreadable || call.awaitsLeave;
  if (isLast) call.closeAfterwards();
  else call.discardBody();
  sendOwnAnswer(call, answer, extraHeaders);
}
