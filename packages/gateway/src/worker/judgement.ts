/**
 * Turns what one attempt received into an outcome. Worker threads. Knows how answers arrive (status, bytes, socket
 * errors); what they mean is Google's (the gemini package).
 */
import type { Evidence, Outcome } from "@gemini-gateway/core/outcome";
import { classifyAnswer, classifyLateError } from "@gemini-gateway/gemini/classify";
import { answerDialect, lateErrorAnswer } from "@gemini-gateway/gemini/error-answer";
import { readErrorObject } from "@gemini-gateway/gemini/error-body";
import { judgeAnswer } from "@gemini-gateway/gemini/emptiness";
import type { Resource } from "@gemini-gateway/gemini/resources/resource-name";
import { redactSecrets } from "@gemini-gateway/gemini/redact";
import type { Route } from "@gemini-gateway/gemini/route";
import type { StreamDialect, StreamVerdict } from "@gemini-gateway/gemini/stream-inspector";
import { headerOf } from "../http1/header-list.ts";
import { encodingOf, unpacked, withBody, type KeptAnswer } from "./kept-answer.ts";

export type { StreamDialect };

export interface JudgementContext {
  readonly route: Route;
  /** What the request names and only one project can see. */
  readonly refersTo: readonly Resource[];
  /** Whether it carries thought signatures. */
  readonly isSigned: boolean;
  readonly contentType: string;
  /** The key used, to be redacted by its exact value. */
  readonly secret: string;
  readonly nowMs: number;
  readonly requestTokensFloor: number;
  readonly tokenQuotaRefusals: number;
}

const MESSAGE_CHARACTERS_MAX = 500;
const JSON_HEADERS: readonly string[] = ["content-type", "application/json; charset=UTF-8"];

/** How a successful answer is framed; undefined when it is not a stream. */
export function streamDialectOf(route: Route, contentType: string): StreamDialect | undefined {
  if (contentType.startsWith("text/event-stream")) {
    switch (route.surface) {
      case "openai":
        return "openai-sse";
      case "interactions":
        return "interactions-sse";
      case "native":
        return "sse";
    }
  }
  return route.answer === "json-array" && contentType.startsWith("application/json")
    ? "json-array"
    : undefined;
}

/** What a failed attempt meant. */
export interface Judgement {
  readonly outcome: Outcome;
  /** The answer as the client may see it, the key taken out; undefined when there is none worth seeing. */
  readonly kept: KeptAnswer | undefined;
}

/**
 * Judges a stream that ended, or is to end, without having become meaningful; undefined when it is to be sent as it is.
 * @param kept all of it that has come
 */
export function judgeStream(
  verdict: StreamVerdict,
  kept: KeptAnswer,
  context: JudgementContext,
): Judgement | undefined {
  switch (verdict.kind) {
    case "meaningful":
    case "undecided":
      return undefined;
    case "error":
      return judgeLateError(verdict.body, context);
    case "empty":
      return {
        outcome: {
          kind: "empty",
          evidence: evidence(200, "empty-stream", "The stream ended without content."),
        },
        kept: kept.body.length > 0 ? kept : undefined,
      };
    case "broken":
      return broken(200, "broken-stream", "The stream was not what it should be.");
  }
}

/** Judges a whole successful answer; undefined when it is good. */
export function judgeWhole(kept: KeptAnswer, context: JudgementContext): Judgement | undefined {
  if (!context.route.generates) return undefined;
  const body = unpacked(kept);
  switch (judgeAnswer(body, context.route)) {
    case "meaningful":
      return undefined;
    case "empty":
      return {
        outcome: {
          kind: "empty",
          evidence: evidence(kept.status, "empty-answer", "The answer holds no content."),
        },
        kept: kept.body.length > 0 ? kept : undefined,
      };
    case "broken":
      return broken(kept.status, "broken-answer", "The answer is not valid JSON.");
    case "error":
      return judgeLateError(body.toString("utf8"), context);
  }
}

/** An error that came inside a 200 with nothing before it: to the client it becomes an answer with its own status. */
function judgeLateError(text: string, context: JudgementContext): Judgement {
  const redacted = redactSecrets(text, [context.secret]);
  const answer = lateErrorAnswer(redacted, answerDialect(context.route));
  const kept = answer && { status: answer.status, rawHeaders: JSON_HEADERS, body: Buffer.from(answer.body) };
  return { outcome: classifyLateError(redacted, context), kept };
}

function broken(httpStatus: number, reason: string, message: string): Judgement {
  return { outcome: { kind: "broken", evidence: evidence(httpStatus, reason, message) }, kept: undefined };
}

/** Judges an answer with an error status. */
export function judgeRefusal(kept: KeptAnswer, context: JudgementContext): Judgement {
  const text = unpacked(kept).toString("utf8");
  const redactedText = redactSecrets(text, [context.secret]);
  const outcome = classifyAnswer(
    {
      status: kept.status,
      contentType: context.contentType,
      body: redactedText,
      retryAfterMs: retryAfterOf(kept.rawHeaders),
    },
    context,
  );
  // A page or nothing at all: the client is told in a form it can read.
  if (outcome.kind === "overloaded" && readErrorObject(redactedText) === undefined)
    return { outcome, kept: undefined };
  const untouched = redactedText === text && encodingOf(kept) === "";
  return { outcome, kept: untouched ? kept : withBody(kept, Buffer.from(redactedText)) };
}

/** Dates, which nobody sends here, are not read. */
function retryAfterOf(rawHeaders: readonly string[]): number | undefined {
  const ms = headerOf(rawHeaders, "retry-after-ms");
  const text = ms ?? headerOf(rawHeaders, "retry-after");
  if (text === undefined || !/^\d{1,9}(?:\.\d{1,9})?$/.test(text)) return undefined;
  return Number(text) * (ms === undefined ? 1000 : 1);
}

/** Codes with which the clients for the upstream, ours and undici's, refuse a request that no HTTP message can carry: no other key helps. */
const UNSENDABLE: ReadonlySet<string> = new Set([
  "UNSENDABLE",
  "UND_ERR_INVALID_ARG",
  "UND_ERR_NOT_SUPPORTED",
  "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH",
  "ERR_INVALID_CHAR",
  "ERR_HTTP2_INVALID_CONNECTION_HEADERS",
]);

/** The outcome of an attempt whose connection failed. `hadAnswer`: the head of an answer had arrived. */
export function failureOf(error: Error, hadAnswer: boolean): Outcome {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  // Only the code is kept: the message of a socket error can name addresses and a proxy's credentials.
  if (code.includes("TIMEOUT") || code === "ETIMEDOUT") {
    return { kind: "network", evidence: evidence(0, "timeout", code) };
  }
  if (UNSENDABLE.has(code)) {
    return { kind: "caller-fault", evidence: evidence(0, "unsendable", code) };
  }
  if (hadAnswer)
    return { kind: "broken", evidence: evidence(0, code || "broken-off", "The answer broke off.") };
  return { kind: "network", evidence: evidence(0, code || error.name, "The upstream could not be reached.") };
}

function evidence(httpStatus: number, reason: string, message: string): Evidence {
  return { httpStatus, reason, message: message.slice(0, MESSAGE_CHARACTERS_MAX) };
}
