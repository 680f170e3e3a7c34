/**
 * What goes on the wire, as data: status, headers, frames, and what the transport does between them. Pure.
 * Routes make replies, faults change them, a Delivery writes them; a unary answer is a reply of one frame.
 */
import type { UpstreamError } from "./error-bodies.ts";
import { interactionsError } from "./interactions-errors.ts";
import { prettyJson } from "./json.ts";

export type HeaderMap = Readonly<Record<string, string | readonly string[]>>;

/** How an answer is framed, and with it how an error looks inside it. */
export type Dialect =
  | "unary"
  | "sse"
  | "array"
  | "openai-unary"
  | "openai-sse"
  | "interactions-unary"
  | "interactions-sse";

/** True when the answer is one body. */
export function isUnary(dialect: Dialect): boolean {
  return dialect === "unary" || dialect === "openai-unary" || dialect === "interactions-unary";
}

/** Something the transport does before it writes frame `before`; -1 stands for the headers. */
export interface Gate {
  readonly before: number;
  readonly action:
    | { readonly kind: "hold"; readonly ruleId: number }
    | { readonly kind: "delay"; readonly delayMs: number }
    | { readonly kind: "reset" };
}

export interface Reply {
  readonly status: number;
  readonly headers: HeaderMap;
  readonly dialect: Dialect;
  /** Frames altogether. */
  readonly frameCount: number;
  /** Of these the first that are events; what follows closes the stream. */
  readonly eventCount: number;
  /** Frame of an index below `frameCount`. */
  frame(index: number): Buffer;
  /** Pause between frames, milliseconds. */
  readonly intervalMs: number;
  /** `content-length` to declare; absent for a stream. May lie when a fault says so. */
  readonly contentLength?: number;
  readonly gates: readonly Gate[];
  /** Write pieces of this many bytes, each flushed before the next. */
  readonly splitBytes?: number;
}

/** Headers on every answer of the real API, HTTP/1.1 or 2; `date` is added by the server. */
const FRONT_END_HEADERS = {
  vary: ["Origin", "X-Origin", "Referer"],
  server: "scaffolding on HTTPServer2",
  "x-xss-protection": "0",
  "x-frame-options": "SAMEORIGIN",
  "x-content-type-options": "nosniff",
  "alt-svc": 'h3=":443"; ma=2592000,h3-29=":443"; ma=2592000',
} as const;

const JSON_TYPE = "application/json; charset=UTF-8";

/** A reply of one frame and a known length. */
export function wholeReply(
  status: number,
  headers: HeaderMap,
  body: Buffer,
  dialect: Dialect = "unary",
): Reply {
  return {
    status,
    headers: { ...FRONT_END_HEADERS, ...headers },
    dialect,
    frameCount: 1,
    eventCount: 1,
    frame: () => body,
    intervalMs: 0,
    contentLength: body.length,
    gates: [],
  };
}

/** A pretty-printed native answer. */
export function jsonReply(value: unknown): Reply {
  return wholeReply(200, { "content-type": JSON_TYPE }, Buffer.from(prettyJson(value)));
}

/** A compact answer of the OpenAI routes. */
export function compactReply(value: unknown): Reply {
  const body = Buffer.from(JSON.stringify(value));
  return wholeReply(200, { "content-type": JSON_TYPE }, body, "openai-unary");
}

/** An error before the first byte, in the dialect's wrapping: a list on OpenAI routes and JSON-array streams. */
export function errorReply(error: UpstreamError, dialect: Dialect): Reply {
  if (dialect === "interactions-unary" || dialect === "interactions-sse") {
    const { body: words, headers: more } = interactionsError(error);
    const type = { "content-type": JSON_TYPE };
    return wholeReply(
      error.status,
      { ...type, ...more },
      Buffer.from(prettyJson(words)),
      "interactions-unary",
    );
  }
  const isList = dialect === "array" || dialect === "openai-unary" || dialect === "openai-sse";
  const text = prettyJson(error.body);
  const body = Buffer.from(isList ? `[${text}]\n` : text);
  const headers = { "content-type": JSON_TYPE, ...error.headers };
  return wholeReply(error.status, headers, body, isList ? "openai-unary" : "unary");
}

/** The page of Google's front end for a path no service knows. */
export function unknownPathReply(path: string): Reply {
  const page = `<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>Error 404 (Not Found)!!1</title>\n  <p><b>404.</b> <ins>That’s an error.</ins>\n  <p>The requested URL <code>${escapeHtml(path)}</code> was not found on this server.  <ins>That’s all we know.</ins>\n`;
  return wholeReply(404, { "content-type": "text/html; charset=UTF-8" }, Buffer.from(page));
}

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
