/**
 * What the end of a Live connection means, and how the gateway words one of its own. Runs on the HTTP workers. Pure.
 * What is an HTTP answer elsewhere is a close frame here, and its reason is all that tells a spent quota from a broken
 * server: it is put into the shape of Google's errors and judged by the same rules.
 */
import type { Evidence, Outcome } from "@gemini-gateway/core/outcome";
import { classifyAnswer, type ClassifyContext } from "./classify.ts";
import { redactKeyShapes } from "./redact.ts";

/** A close frame as it was received; code 1005 stands for one without a code, 1006 for a connection that just ended. */
export interface LiveClose {
  readonly code: number;
  /** Redacted by the key's value. */
  readonly reason: string;
}

/** Longest reason of a close frame (RFC 6455, 5.5), bytes. */
export const CLOSE_REASON_BYTES_MAX = 123;

/** How long a project rests on the model when it has as many sessions as it may, milliseconds: one may end at any time. */
const SESSIONS_REST_MS = 10_000;

const SESSIONS_REASON = /concurrent (?:live )?sessions/i;
const QUOTA_REASON = /\bquota\b|rate limit|resource (?:has been )?exhausted|RESOURCE_EXHAUSTED/i;
const BILLING_REASON = /prepayment credits|spending cap|\bbilling\b/i;
const SESSION_GONE_REASON = /session not found/i;
const PERMISSION_REASON = /permission|PERMISSION_DENIED|not have access/i;
/** The end of a session's allotted time: nobody's fault. */
const DEADLINE_REASON = /^Deadline expired/i;

/** Codes by which a server says that it cannot now. */
const OVERLOAD_CODES: ReadonlySet<number> = new Set([1011, 1012, 1013, 1014]);
/** Codes about what the client sent. */
const CALLER_CODES: ReadonlySet<number> = new Set([1003, 1007, 1009, 1010]);

type ErrorStatus = 400 | 403 | 404 | 429 | 503;

const STATUS_NAMES: Readonly<Record<ErrorStatus, string>> = {
  400: "INVALID_ARGUMENT",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
};

export type LiveCloseContext = Pick<ClassifyContext, "nowMs">;

/** What a close before the session was set up means. Never throws. */
export function classifyLiveClose({ code, reason }: LiveClose, { nowMs }: LiveCloseContext): Outcome {
  const evidence = evidenceOf(code, reason);
  if (SESSIONS_REASON.test(reason)) return { kind: "quota-minute", retryAfterMs: SESSIONS_REST_MS, evidence };
  // A handle belongs to one project, like a file.
  if (SESSION_GONE_REASON.test(reason)) return { kind: "foreign-resource", evidence };
  const status = statusOf(code, reason);
  if (status === undefined) return { kind: "broken", evidence };
  const error = { code: status, message: reason, status: STATUS_NAMES[status] };
  const route = { resource: undefined, generates: false };
  const answer = { status, contentType: "application/json", body: JSON.stringify({ error }) };
  const outcome = classifyAnswer(answer, { route, nowMs, requestTokensFloor: 0, tokenQuotaRefusals: 0 });
  return "evidence" in outcome ? { ...outcome, evidence: { ...outcome.evidence, ...evidence } } : outcome;
}

/** What the end of a session that had been set up means for its key. */
export function outcomeOfSession(close: LiveClose, context: LiveCloseContext): Outcome {
  const { code, reason } = close;
  const isClean = code === 1000 || code === 1001 || code === 1005;
  if (isClean || DEADLINE_REASON.test(reason)) return { kind: "served" };
  return classifyLiveClose(close, context);
}

/** The HTTP status that an error of this kind has; undefined when the connection just ended. */
function statusOf(code: number, reason: string): ErrorStatus | undefined {
  if (OVERLOAD_CODES.has(code)) return QUOTA_REASON.test(reason) || BILLING_REASON.test(reason) ? 429 : 503;
  if (code === 1008) {
    if (QUOTA_REASON.test(reason)) return 429;
    return PERMISSION_REASON.test(reason) ? 403 : 404;
  }
  return CALLER_CODES.has(code) ? 400 : undefined;
}

function evidenceOf(code: number, reason: string): Evidence {
  const message = redactKeyShapes(reason).slice(0, CLOSE_REASON_BYTES_MAX);
  return { httpStatus: 101, reason: `close ${code}`, message };
}

/** Code of the close frame that stands for an answer with this status. */
export function closeCodeFor(status: number): number {
  if (status === 400) return 1007;
  if (status === 401 || status === 403 || status === 404) return 1008;
  return 1011;
}

/** A reason that fits into a close frame, with the moment of return at its end when one is known. */
export function closeReason(text: string, retryAfterMs?: number): string {
  const seconds = retryAfterMs === undefined ? 0 : Math.max(1, Math.ceil(retryAfterMs / 1000));
  const ending = retryAfterMs === undefined ? "" : ` Retry in ${seconds}s.`;
  return fitted(text, CLOSE_REASON_BYTES_MAX - Buffer.byteLength(ending)) + ending;
}

/** At most so many bytes of UTF-8, cut between characters. */
function fitted(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax;
  // Not in the middle of a character: the bytes after its first begin with 10.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString("utf8", 0, end);
}

/** Whether a close frame may carry this code (RFC 6455, 7.4). */
export function isSendableCode(code: number): boolean {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}
