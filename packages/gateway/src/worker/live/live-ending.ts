/** How a Live session is ended in words: close frames of the gateway's own, and the row it leaves. Worker threads; pure. */
import { errorAnswerOf, type ErrorCode } from "@gemini-gateway/core/error-codes";
import type { Denial, DenialReason } from "@gemini-gateway/core/lease";
import type { Outcome, OutcomeKind } from "@gemini-gateway/core/outcome";
import { lastWord } from "@gemini-gateway/core/retry-policy";
import { closeReason, isSendableCode, type LiveClose } from "@gemini-gateway/gemini/live-close";
import type { Usage } from "@gemini-gateway/gemini/usage";
import type { RequestRow } from "../../request-row.ts";
import { RETRY_AFTER_DEFAULT_MS } from "../final-answer.ts";
import { reasonOf, rowOf, type AttemptNote, type RowOutcome } from "../request-record.ts";
import type { LiveAdmission } from "./live-admission.ts";

/** Ends that nobody is to blame for: the client may come back at once, with its handle. */
export const GOING_AWAY = {
  idle: { code: 1001, text: "The session was silent for too long." },
  shutdown: { code: 1012, text: "The gateway is being stopped or restarted. Connect again." },
} as const;

/** Errors that pass by themselves and are about the caller or the moment, not about the pool. */
const TRY_AGAIN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "breaker-open",
  "client-requests",
  "client-tokens",
  "client-concurrency",
  "pool-busy",
]);

/** The close code that stands for one of the gateway's own errors. */
function ownCloseCode(code: ErrorCode): number {
  if (TRY_AGAIN.has(code)) return 1013;
  switch (errorAnswerOf(code).status) {
    case 400:
      return 1007;
    case 401:
    case 403:
      return 1008;
    case 413:
      return 1009;
    default:
      return 1011;
  }
}

/** Code and reason to send the other end for what one end said. */
export function closeToPassOn({ code, reason }: LiveClose): readonly [code: number, reason: string] {
  // None was said, so none is.
  if (code === 1005) return [1005, ""];
  return [isSendableCode(code) ? code : 1011, closeReason(reason)];
}

/** The last attempt that failed unseen. */
export interface LiveFailure {
  readonly outcome: Outcome;
  /** What the upstream said, if that can be passed on. */
  readonly close: LiveClose | undefined;
}

const DENIALS_OF_TOKENS: ReadonlyMap<OutcomeKind, DenialReason> = new Map([
  ["key-dead", "out-of-service"],
  ["key-misconfigured", "out-of-service"],
  ["billing", "billing"],
  ["quota-minute", "quota"],
  ["quota-day", "quota"],
  ["model-unavailable", "model-unavailable"],
]);

/**
 * What the failure of a session that brought a token says in place of a key's: no key of the pool was tried, nor can one
 * help, and the upstream's own words may tell a key. Undefined where nobody's key is to blame.
 */
export function denialOfToken(kind: OutcomeKind): Denial | undefined {
  const reason = DENIALS_OF_TOKENS.get(kind);
  return reason === undefined ? undefined : { reason, scope: "owner" };
}

/** How a session that nobody set up is ended and logged. */
export interface LiveLastWord {
  readonly close: readonly [code: number, reason: string];
  readonly outcome: RowOutcome;
  readonly reason: string;
}

/**
 * @param last undefined when no attempt was made
 * @param denial why no key was lent, when that is what ended it
 */
export function liveLastWord(
  last: LiveFailure | undefined,
  denial: Denial | undefined,
  nowMs: number,
): LiveLastWord {
  const { outcome, close } = last ?? {};
  const word = lastWord(outcome, close !== undefined, denial);
  if (word.kind === "pass-on" && outcome !== undefined && close !== undefined) {
    return { close: closeToPassOn(close), outcome: outcome.kind, reason: reasonOf(outcome) };
  }
  const code = word.kind === "own" ? word.code : "internal";
  const { retryAtMs } = denial ?? {};
  const returnMs = retryAtMs === undefined ? RETRY_AFTER_DEFAULT_MS : Math.max(1, retryAtMs - nowMs);
  const reason = outcome === undefined ? code : reasonOf(outcome);
  return { close: ownClose(code, returnMs), outcome: outcome?.kind ?? "denied", reason };
}

/** The close that tells of one of the gateway's own errors. @param retryAfterMs told where coming back can help */
export function ownClose(code: ErrorCode, retryAfterMs?: number): readonly [code: number, reason: string] {
  const { text, retryable } = errorAnswerOf(code);
  return [ownCloseCode(code), closeReason(text, retryable ? retryAfterMs : undefined)];
}

export interface FinishedSession {
  readonly atMs: number;
  /** When the upstream had set it up; -1 for never. */
  readonly begunAtMs: number;
  readonly model: string;
  readonly outcome: RowOutcome;
  readonly reason: string;
  readonly notes: readonly AttemptNote[];
  /** Of messages, without their framing. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly usage: Usage | undefined;
}

/** The one row of a session. */
export function sessionRow(admission: LiveAdmission, finished: FinishedSession): RequestRow {
  const { route, caller, address, requestId, startedAtMs } = admission;
  return rowOf({
    atMs: finished.atMs,
    startedAtMs,
    firstByteAtMs: finished.begunAtMs,
    requestId,
    method: "GET",
    path: route.upstreamPath,
    model: finished.model,
    status: 101,
    outcome: finished.outcome,
    reason: finished.reason,
    notes: finished.notes,
    bytesIn: finished.bytesIn,
    bytesOut: finished.bytesOut,
    usage: finished.usage,
    client: caller.name,
    address,
  });
}
