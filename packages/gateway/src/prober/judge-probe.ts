/**
 * Turns what a test received into an outcome. Prober threads. What an answer means is Google's (the gemini package).
 * Must never let the key, or what a socket's message may say of the proxy, into the outcome.
 */
import type { Evidence, Outcome } from "@gemini-gateway/core/outcome";
import { classifyAnswer } from "@gemini-gateway/gemini/classify";
import { redactSecrets } from "@gemini-gateway/gemini/redact";

export interface ProbeAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** Any JSON with a good status proves what was asked: a model that thinks may answer one token with no text at all. */
export function judgeProbe(
  { status, contentType, text }: ProbeAnswer,
  secret: string,
  nowMs: number,
): Outcome {
  const isGood = status >= 200 && status < 300;
  if (isGood && !contentType.startsWith("application/json")) {
    return {
      kind: "network",
      evidence: evidence(status, "not-json", "Something else than Google answered."),
    };
  }
  const body = redactSecrets(text, [secret]);
  return classifyAnswer(
    { status, contentType, body },
    { route: { resource: undefined, generates: true }, nowMs, requestTokensFloor: 1, tokenQuotaRefusals: 0 },
  );
}

/** The outcome when no answer came: never held against the key. */
export function judgeFailure(error: unknown, isTimeout: boolean): Outcome {
  if (isTimeout) return { kind: "network", evidence: evidence(0, "timeout", "The test took too long.") };
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const reason = typeof code === "string" ? code : "unreachable";
  return { kind: "network", evidence: evidence(0, reason, "The upstream could not be reached.") };
}

function evidence(httpStatus: number, reason: string, message: string): Evidence {
  return { httpStatus, reason, message };
}
