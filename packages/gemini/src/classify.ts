/**
 * What an answer of the upstream means: from its status, its body and the route, never from the status alone.
 * Runs on the HTTP workers, once per attempt that was refused. The rules themselves are in classify-rules.ts.
 */
import type { Evidence, Outcome } from "@gemini-gateway/core/outcome";
import { type Refusal, RULES } from "./classify-rules.ts";
import { parseErrorBody, type ParsedError } from "./error-body.ts";
import { redactKeyShapes } from "./redact.ts";
import type { Resource } from "./resources/resource-name.ts";
import type { Route } from "./route.ts";
import { statusOfError } from "./status-names.ts";

/** An answer that was read whole, or as much of it as errors need. */
export interface ReceivedAnswer {
  readonly status: number;
  /** The content-type header; "" when there is none. */
  readonly contentType: string;
  /** Body as text, with the key already redacted by its value. */
  readonly body: string;
  /** What its headers say of coming back, milliseconds; only Interactions say it there. */
  readonly retryAfterMs?: number | undefined;
}

/** What the caller knows of the request and the moment. */
export interface ClassifyContext {
  readonly route: Pick<Route, "resource" | "generates">;
  /** What the body names and only one project can see; nothing when absent. */
  readonly refersTo?: readonly Resource[];
  /** Whether the body carries thought signatures, which a project may have issued. */
  readonly isSigned?: boolean;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Tokens that the request has at least; 0 when not known. */
  readonly requestTokensFloor: number;
  /** How many keys refused this request for their token quota before. */
  readonly tokenQuotaRefusals: number;
}

const MESSAGE_LENGTH_MAX = 500;
const REASON_LENGTH_MAX = 200;
/** Characters of a page that are looked at. */
const PAGE_LENGTH_MAX = 8192;

function isHtml(answer: ReceivedAnswer): boolean {
  return /^text\/html/i.test(answer.contentType) || /^\s*<(?:!doctype|html)/i.test(answer.body.slice(0, 256));
}

/** A page's words without its tags. */
function plainText(body: string): string {
  return body
    .slice(0, PAGE_LENGTH_MAX)
    .replace(/<(?:script|style)\b[^]*?<\/(?:script|style)>/gi, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

function evidenceOf(httpStatus: number, error: ParsedError | undefined, body: string): Evidence {
  const reason = error?.reasons[0] ?? (error?.status || `HTTP ${httpStatus}`);
  const consumer = error?.consumer;
  return {
    httpStatus,
    reason: reason.slice(0, REASON_LENGTH_MAX),
    message: redactKeyShapes(error?.message ?? plainText(body)).slice(0, MESSAGE_LENGTH_MAX),
    ...(consumer === undefined ? {} : { consumer }),
  };
}

/** Errors of Interactions have no details: their delay is in a header, by which their clients go. Of others the body tells. */
function withDelay(
  error: ParsedError | undefined,
  retryAfterMs: number | undefined,
): ParsedError | undefined {
  if (error === undefined || error.code !== undefined || retryAfterMs === undefined) return error;
  return { ...error, retryDelayMs: retryAfterMs };
}

/** Each by its name: a context may have them as getters, which a spread leaves out. */
function factsOf({
  route,
  refersTo = [],
  isSigned = false,
  nowMs,
  requestTokensFloor,
  tokenQuotaRefusals,
}: ClassifyContext): Required<ClassifyContext> {
  return { route, refersTo, isSigned, nowMs, requestTokensFloor, tokenQuotaRefusals };
}

/** No rule applies: what remains is the request's own fault. */
function judge(refusal: Refusal): Outcome {
  for (const rule of RULES) {
    const outcome = rule.judge(refusal);
    if (outcome !== undefined) return outcome;
  }
  return { kind: "caller-fault", evidence: refusal.evidence };
}

/**
 * The outcome of a complete answer. A 2xx is "served": whether its body holds anything is emptiness.ts's to say.
 * Never throws, whatever the body is.
 */
export function classifyAnswer(answer: ReceivedAnswer, context: ClassifyContext): Outcome {
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: "served" };
  const error = withDelay(parseErrorBody(answer.body), answer.retryAfterMs);
  const evidence = evidenceOf(status, error, answer.body);
  if (status < 200) return { kind: "network", evidence };
  const html = error === undefined && isHtml(answer);
  return judge({ status, error, html, evidence, ...factsOf(context) });
}

/**
 * The outcome of an error that came inside a 200: a late event of a stream, its raw tail, or a whole body.
 * @param text JSON of the error, or the event that holds it, redacted.
 * @returns "broken" when it is no error that can be read.
 */
export function classifyLateError(text: string, context: ClassifyContext): Outcome {
  const error = parseErrorBody(text);
  const evidence = evidenceOf(200, error, text);
  if (error === undefined) return { kind: "broken", evidence };
  const status = statusOfError(error.code, error.status);
  return judge({ status, error, html: false, evidence, ...factsOf(context) });
}
