/**
 * How a stream that was relayed ends for its client and for the key: complete, with the upstream's own late error, or
 * broken off. Worker threads; pure. What the bytes mean is the gemini package's to say.
 */
import { errorAnswerOf } from "@gemini-gateway/core/error-codes";
import type { Outcome } from "@gemini-gateway/core/outcome";
import { classifyLateError, type ClassifyContext } from "@gemini-gateway/gemini/classify";
import { lateErrorFrame } from "@gemini-gateway/gemini/error-answer";
import { judgeTail, type TailVerdict } from "@gemini-gateway/gemini/stream-tail";
import type { Usage } from "@gemini-gateway/gemini/usage";
import type { StreamDialect } from "./judgement.ts";
import type { RowOutcome } from "./request-record.ts";

export interface StreamEnd {
  /** To be written last, "" for nothing; undefined when nothing can be said there and the connection must be cut. */
  readonly lastWords: string | undefined;
  /** What it means for the key. */
  readonly outcome: Outcome;
  readonly logged: RowOutcome;
  readonly usage: Usage | undefined;
}

/**
 * @param tailBytes the last bytes relayed
 * @param failure how the connection broke; undefined for an orderly end
 */
export function endOfStream(
  tailBytes: Buffer,
  dialect: StreamDialect,
  failure: Outcome | undefined,
  context: Pick<ClassifyContext, "route" | "nowMs">,
): StreamEnd {
  const tail = judgeTail(tailBytes, dialect);
  const { usage } = tail;
  const lastWords = failure === undefined || tail.closed ? "" : lastWordsAfter(tail, dialect);
  if (tail.error !== undefined) {
    const outcome = classifyLateError(tail.error, {
      ...context,
      requestTokensFloor: 0,
      tokenQuotaRefusals: 0,
    });
    return { lastWords, outcome, logged: outcome.kind, usage };
  }
  // A connection that breaks after the end mark has broken nothing.
  if (failure !== undefined && !tail.closed)
    return { lastWords, outcome: failure, logged: failure.kind, usage };
  return { lastWords, outcome: { kind: "served" }, logged: tail.finished ? "served" : "truncated", usage };
}

function lastWordsAfter(tail: TailVerdict, dialect: StreamDialect): string | undefined {
  // The upstream has told of an error itself: one is enough.
  if (tail.error !== undefined) return dialect === "json-array" ? undefined : "";
  const { status: code, canonical: status, text: message } = errorAnswerOf("upstream-broken");
  return lateErrorFrame(dialect, tail.openBoundary, { code, status, message });
}
