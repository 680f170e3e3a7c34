/**
 * Turns what one attempt received into an outcome. Worker threads. Knows how answers arrive (status, bytes, socket
 * errors); what they mean is Google's (the gemini package).
 */
import type { Evidence, Outcome } from "@gemini-gateway/core/outcome";
import { classifyAnswer, classifyLateError } from "@gemini-gateway/gemini/classify";
import { judgeAnswer } from "@gemini-gateway/gemini/emptiness";
import { redactSecrets } from "@gemini-gateway/gemini/redact";
import type { Route } from "@gemini-gateway/gemini/route";
import type { StreamDialect, StreamVerdict } from "@gemini-gateway/gemini/stream-inspector";
import { brotliDecompressSync, unzipSync } from "node:zlib";
import type { KeptAnswer } from "./attempt.ts";

export type { StreamDialect };

export interface JudgementContext {
  readonly route: Route;
  readonly contentType: string;
  /** The key used, to be redacted by its exact value. */
  readonly secret: string;
  readonly nowMs: number;
  readonly requestTokensFloor: number;
  readonly tokenQuotaRefusals: number;
}

/** Largest answer unpacked to be looked at, bytes. */
const UNPACKED_BYTES_MAX = 4_194_304;
const MESSAGE_CHARACTERS_MAX = 500;

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
  return route.answer === "json-array" && contentType.startsWith("application/json") ? "json-array" : undefined;
}

/** The outcome of a stream that has not become meaningful; undefined when it is to be sent as it is or to go on. */
export function judgeStream(verdict: StreamVerdict, context: JudgementContext): Outcome | undefined {
  switch (verdict.kind) {
    case "meaningful":
    case "undecided":
      return undefined;
    case "error":
      return classifyLateError(redactSecrets(verdict.body, [context.secret]), context);
    case "empty":
      return { kind: "empty", evidence: evidence(200, "empty-stream", "The stream ended without content.") };
    case "broken":
      return { kind: "broken", evidence: evidence(200, "broken-stream", "The stream was not what it should be.") };
  }
}

/** The outcome of a whole successful answer; undefined when it is good. */
export function judgeWhole(kept: KeptAnswer, context: JudgementContext): Outcome | undefined {
  if (!context.route.generates) return undefined;
  const body = unpacked(kept);
  switch (judgeAnswer(body, context.route)) {
    case "meaningful":
      return undefined;
    case "empty":
      return { kind: "empty", evidence: evidence(kept.status, "empty-answer", "The answer holds no content.") };
    case "broken":
      return { kind: "broken", evidence: evidence(kept.status, "broken-answer", "The answer is not valid JSON.") };
    case "error":
      return classifyLateError(redactSecrets(body.toString("utf8"), [context.secret]), context);
  }
}

/** The outcome of an answer with an error status, and the answer without the key in it. */
export function judgeRefusal(
  kept: KeptAnswer,
  context: JudgementContext,
): { readonly outcome: Outcome; readonly redacted: KeptAnswer } {
  const text = unpacked(kept).toString("utf8");
  const redactedText = redactSecrets(text, [context.secret]);
  const outcome = classifyAnswer(
    { status: kept.status, contentType: context.contentType, body: redactedText },
    context,
  );
  const untouched = redactedText === text && encodingOf(kept) === "";
  return { outcome, redacted: untouched ? kept : withBody(kept, Buffer.from(redactedText)) };
}

/** The outcome of an attempt whose connection failed. `hadAnswer`: the head of an answer had arrived. */
export function failureOf(error: Error, hadAnswer: boolean): Outcome {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  // Only the code is kept: the message of a socket error can name addresses and a proxy's credentials.
  if (code.includes("TIMEOUT") || code === "ETIMEDOUT") {
    return { kind: "network", evidence: evidence(0, "timeout", code) };
  }
  if (hadAnswer) return { kind: "broken", evidence: evidence(0, code || "broken-off", "The answer broke off.") };
  return { kind: "network", evidence: evidence(0, code || error.name, "The upstream could not be reached.") };
}

function evidence(httpStatus: number, reason: string, message: string): Evidence {
  return { httpStatus, reason, message: message.slice(0, MESSAGE_CHARACTERS_MAX) };
}

function encodingOf(kept: KeptAnswer): string {
  for (let at = 0; at + 1 < kept.rawHeaders.length; at += 2) {
    if (String(kept.rawHeaders[at]).toLowerCase() === "content-encoding") return String(kept.rawHeaders[at + 1]);
  }
  return "";
}

/** The body as text would be read. We ask for no encoding, but whoever sits between may add one. */
function unpacked(kept: KeptAnswer): Buffer {
  const encoding = encodingOf(kept).toLowerCase();
  try {
    if (encoding === "gzip" || encoding === "deflate") {
      return unzipSync(kept.body, { maxOutputLength: UNPACKED_BYTES_MAX });
    }
    if (encoding === "br") return brotliDecompressSync(kept.body, { maxOutputLength: UNPACKED_BYTES_MAX });
  } catch {
    // Unreadable: judged as the bytes it is.
  }
  return kept.body;
}

function withBody(kept: KeptAnswer, body: Buffer): KeptAnswer {
  const rawHeaders: (Buffer | string)[] = [];
  for (let at = 0; at + 1 < kept.rawHeaders.length; at += 2) {
    const name = String(kept.rawHeaders[at]).toLowerCase();
    if (name === "content-encoding" || name === "content-length") continue;
    rawHeaders.push(kept.rawHeaders[at] ?? "", kept.rawHeaders[at + 1] ?? "");
  }
  return { status: kept.status, rawHeaders, body };
}
