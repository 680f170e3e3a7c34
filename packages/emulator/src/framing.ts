/**
 * Streams byte for byte as Google frames them (gemini-wire.md 5.1 and 5.3). Pure.
 * SSE: `data: {…}\r\n\r\n`, no `[DONE]`, nothing at the end. JSON array: elements between `,\r\n`, then `]`.
 */
import type { Answer } from "./answer.ts";
import type { UpstreamError } from "./error-bodies.ts";
import { interactionsError } from "./interactions-errors.ts";
import { eventJson } from "./json.ts";
import type { JsonObject } from "./json.ts";
import { nativeEvent } from "./native-answer.ts";
import { chatChunk, chatUsageChunk } from "./openai-answer.ts";
import type { Dialect, Reply } from "./reply.ts";
import { wholeReply } from "./reply.ts";

const EMPTY = Buffer.alloc(0);
const SSE_TYPE = { "content-type": "text/event-stream", "content-disposition": "attachment" } as const;
const ARRAY_TYPE = { "content-type": "application/json; charset=UTF-8" } as const;

/** A native stream as server-sent events. */
export function sseReply(answer: Answer): Reply {
  const frame = (index: number): Buffer => sseFrame(eventJson(nativeEvent(answer, index)));
  const count = answer.chunkCount;
  return streamReply("sse", SSE_TYPE, { frame, frameCount: count, eventCount: count }, answer.intervalMs);
}

/** A native stream as one JSON array, an element per event. */
export function arrayReply(answer: Answer): Reply {
  const eventCount = answer.chunkCount;
  const frame = (index: number): Buffer =>
    index < eventCount ? arrayElement(nativeEvent(answer, index), index) : ARRAY_END;
  return streamReply(
    "array",
    ARRAY_TYPE,
    { frame, frameCount: eventCount + 1, eventCount },
    answer.intervalMs,
  );
}

export interface ChatStreamFacts {
  readonly answer: Answer;
  readonly model: string;
  readonly createdSeconds: number;
  readonly includeUsage: boolean;
}

/** A chat completion stream: chunks, usage when asked for, `[DONE]`. */
export function chatReply(facts: ChatStreamFacts): Reply {
  const { answer, includeUsage } = facts;
  const eventCount = answer.chunkCount + (includeUsage ? 1 : 0);
  const frame = (index: number): Buffer => {
    if (index === eventCount) return CHAT_END;
    const chunk = index === answer.chunkCount ? chatUsageChunk(facts) : chatChunk(facts, index);
    return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  return streamReply(
    "openai-sse",
    SSE_TYPE,
    { frame, frameCount: eventCount + 1, eventCount },
    answer.intervalMs,
  );
}

/** Events of the Interactions API, ended as it ends them. Each names its type beside `event:`. */
export function interactionsReply(events: readonly JsonObject[], intervalMs: number): Reply {
  const eventCount = events.length;
  const frame = (index: number): Buffer => {
    const event = events[index];
    return event === undefined ? INTERACTIONS_END : namedFrame(event);
  };
  const frames = { frame, frameCount: eventCount + 1, eventCount };
  return streamReply("interactions-sse", SSE_TYPE, frames, intervalMs);
}

function namedFrame(event: JsonObject): Buffer {
  return Buffer.from(`event: ${String(event["event_type"])}\ndata: ${JSON.stringify(event)}\n\n`);
}

function streamReply(
  dialect: Dialect,
  headers: Readonly<Record<string, string>>,
  frames: Pick<Reply, "frame" | "frameCount" | "eventCount">,
  intervalMs: number,
): Reply {
  const { contentLength: _unknown, ...head } = wholeReply(200, headers, EMPTY, dialect);
  return { ...head, ...frames, intervalMs };
}

const ARRAY_END = Buffer.from("\n]\n");
const INTERACTIONS_END = Buffer.from("event: done\ndata: [DONE]\n\n");
const CHAT_END = Buffer.from("data: [DONE]\n\n");

export function sseFrame(json: string): Buffer {
  return Buffer.from(`data: ${json}\r\n\r\n`);
}

function arrayElement(value: unknown, index: number): Buffer {
  return Buffer.from(`${index === 0 ? "[" : "\n,\r\n"}${JSON.stringify(value, null, 2)}`);
}

/** The frames with which a stream of a dialect reports an error after `eventsBefore` events, and ends. */
export function lateErrorFrames(
  dialect: Dialect,
  error: UpstreamError,
  eventsBefore: number,
): readonly Buffer[] {
  const errorBody = error.body;
  switch (dialect) {
    case "array":
      return [arrayElement(errorBody, eventsBefore), ARRAY_END];
    case "openai-sse":
      return [Buffer.from(`data: ${JSON.stringify([errorBody])}\n\n`)];
    case "interactions-sse":
      return [namedFrame({ event_type: "error", ...interactionsError(error).body })];
    case "sse":
    case "unary":
    case "openai-unary":
    case "interactions-unary":
      return [sseFrame(eventJson(errorBody))];
  }
}
