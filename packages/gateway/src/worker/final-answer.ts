/**
 * What a request that no attempt served is answered with, and when its client may come back. Worker threads; pure.
 * The words are decided in core (the last word); this puts the moment to them.
 */
import { errorAnswerOf, type ErrorCode } from "@gemini-gateway/core/error-codes";
import type { Denial } from "@gemini-gateway/core/lease";
import type { Outcome } from "@gemini-gateway/core/outcome";
import { type ComeBack, lastWord } from "@gemini-gateway/core/retry-policy";
import { parseErrorBody } from "@gemini-gateway/gemini/error-body";
import type { KeptAnswer } from "./kept-answer.ts";

/** When to come back if nothing better is known, milliseconds. */
export const RETRY_AFTER_DEFAULT_MS = 1000;

/** The last attempt that failed unseen. */
export interface LastFailure {
  readonly outcome: Outcome;
  /** The answer it got, if that can be passed on. */
  readonly kept: KeptAnswer | undefined;
}

/** `retryAfterMs` is undefined when coming back would change nothing. */
export type FinalAnswer =
  | { readonly kind: "pass-on"; readonly answer: KeptAnswer; readonly retryAfterMs: number | undefined }
  | {
      readonly kind: "own";
      readonly code: ErrorCode;
      readonly retryAfterMs: number | undefined;
      /** What the answer is to name. */
      readonly about: readonly string[];
    };

/**
 * @param last undefined when no attempt was made
 * @param denial why no key was lent, when that is what ended it
 * @param about resources that the denial is about
 */
export function finalAnswer(
  last: LastFailure | undefined,
  denial: Denial | undefined,
  about: readonly string[],
  nowMs: number,
): FinalAnswer {
  const kept = last?.kept;
  const word = lastWord(last?.outcome, kept !== undefined, denial);
  const returnMs =
    denial?.retryAtMs === undefined ? RETRY_AFTER_DEFAULT_MS : Math.max(1, denial.retryAtMs - nowMs);
  if (word.kind === "pass-on" && kept !== undefined) {
    return { kind: "pass-on", answer: kept, retryAfterMs: comeBackMs(word.comeBack, kept, returnMs) };
  }
  const code = word.kind === "own" ? word.code : "internal";
  const retryAfterMs = errorAnswerOf(code).retryable ? returnMs : undefined;
  return { kind: "own", code, retryAfterMs, about: denial?.scope === "owner" ? about : [] };
}

function comeBackMs(comeBack: ComeBack, kept: KeptAnswer, returnMs: number): number | undefined {
  switch (comeBack) {
    case "soon":
      return toldMs(kept) ?? returnMs;
    case "as-told":
      return toldMs(kept);
    case "never":
      return undefined;
  }
}

/** What the upstream's RetryInfo says: header and body must not contradict each other. */
function toldMs(kept: KeptAnswer): number | undefined {
  return parseErrorBody(kept.body.toString("utf8"))?.retryDelayMs;
}
