/**
 * How a stream that was relayed ended, read from its last bytes. Runs on the HTTP workers, once per stream.
 * Must never change what was sent; it only says what to log, and whether one more event can be written.
 */
import { contentOf } from "./answer-content.ts";
import { JsonSpan } from "./json-span.ts";
import type { Surface } from "./path-grammar.ts";
import type { StreamDialect } from "./stream-inspector.ts";
import { readUsage, type Usage } from "./usage.ts";

export interface TailVerdict {
  /** The stream said that it was complete: a finish reason, a blocked prompt or an end mark. */
  readonly finished: boolean;
  /** JSON text of an error that came late, as an event, an element or a raw tail. */
  readonly error?: string;
  readonly usage?: Usage;
  /** Whether the bytes end where one more event or element may follow; an array's may have its comma already. */
  readonly openBoundary: boolean | "after-comma";
  /** Whether the stream has said its end mark (`[DONE]`, the closing bracket): nothing may follow, nothing is missing. */
  readonly closed: boolean;
}

/** Where an end mark is looked for, characters from the end. */
const END_MARK_LENGTH_MAX = 64;
/** Raw tails tried before giving up; the first line that opens an object is nearly always the one. */
const RAW_TAILS_MAX = 4;

/** Marks of completion. In a JSON string their quotes would be escaped, so no text of the model looks like them. */
const FINISH_MARKS: Readonly<Record<StreamDialect, RegExp>> = {
  sse: /"(?:finishReason|blockReason)"\s*:\s*"/,
  "json-array": /"(?:finishReason|blockReason)"\s*:\s*"/,
  "openai-sse": /^data: ?\[DONE\]|"finish_reason"\s*:\s*"/m,
  "interactions-sse": /^data: ?\[DONE\]|"event_type"\s*:\s*"interaction\.completed"/m,
};

/** Fields that only an element of a streamed array begins with. */
const ELEMENT_START = /[[,]\s*(?=\{\s*"(?:candidates|promptFeedback|usageMetadata|error)"\s*:)/g;

function isError(text: string, surface: Surface): boolean {
  try {
    return contentOf(JSON.parse(text), surface) === "error";
  } catch {
    return false;
  }
}

/** The last `data:` event that is an error. A first line cut in two is no valid JSON and so skipped by itself. */
function dataError(text: string, surface: Surface): string | undefined {
  let found: string | undefined;
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (!line.startsWith("data:") || !line.includes('"error"')) continue;
    const payload = line.slice("data:".length).trim();
    if (isError(payload, surface)) found = payload;
  }
  return found;
}

/** JSON that was appended outside the framing, from a line that opens it to the end of the stream. */
function rawError(text: string, surface: Surface): string | undefined {
  let tries = 0;
  for (const { index, 0: lineEnd } of text.matchAll(/(?:^|[\r\n])(?=[[{])/g)) {
    const rest = text.slice(index + lineEnd.length);
    if (isError(rest, surface)) return rest.trim();
    tries += 1;
    if (tries === RAW_TAILS_MAX) break;
  }
  return undefined;
}

function eventError(text: string, surface: Surface): string | undefined {
  if (!text.includes('"error"')) return undefined;
  return rawError(text, surface) ?? dataError(text, surface);
}

/** Start of the last element of a streamed array that begins in this text. */
function lastElementAt(text: string): number | undefined {
  let at: number | undefined;
  for (const match of text.matchAll(ELEMENT_START)) at = match.index + match[0].length;
  return at;
}

/** End of the JSON value at `start`, or undefined when it is cut off. */
function valueEnd(text: string, start: number): number | undefined {
  const span = new JsonSpan();
  for (let index = start; index < text.length; index += 1) {
    span.take(text.charCodeAt(index));
    if (span.depth === 0 && !span.inString) return index + 1;
  }
  return undefined;
}

type Ending = Pick<TailVerdict, "error" | "openBoundary" | "closed">;

function judgeArray(text: string): Ending {
  const start = lastElementAt(text);
  const end = start === undefined ? undefined : valueEnd(text, start);
  if (start === undefined || end === undefined) return { openBoundary: false, closed: false };
  const element = text.slice(start, end);
  const rest = text.slice(end).trim();
  const openBoundary = rest === "," ? "after-comma" : rest === "";
  const ending = { openBoundary, closed: rest === "]" } as const;
  return isError(element, "native") ? { error: element, ...ending } : ending;
}

function endsEvent(text: string): boolean {
  return text === "" || ["\n\n", "\r\r", "\n\r", "\n\r\n"].some((ending) => text.endsWith(ending));
}

function judgeEvents(text: string, surface: Surface): Ending {
  const error = eventError(text, surface);
  // Google's native streams have no end mark: they just close.
  const closed =
    surface !== "native" && /(?:^|[\r\n])data: ?\[DONE\]\s*$/.test(text.slice(-END_MARK_LENGTH_MAX));
  const ending = { openBoundary: endsEvent(text), closed };
  return error === undefined ? ending : { error, ...ending };
}

const EVENT_SURFACES: Readonly<Record<Exclude<StreamDialect, "json-array">, Surface>> = {
  sse: "native",
  "openai-sse": "openai",
  "interactions-sse": "interactions",
};

/**
 * Judges the end of a stream.
 * @param tail its last bytes, or all of them; it may begin anywhere. 16 KiB see every usual end.
 */
export function judgeTail(tail: Buffer, dialect: StreamDialect): TailVerdict {
  const text = tail.toString("utf8");
  const judged = dialect === "json-array" ? judgeArray(text) : judgeEvents(text, EVENT_SURFACES[dialect]);
  const usage = readUsage(tail);
  const finished = FINISH_MARKS[dialect].test(text);
  return usage === undefined ? { finished, ...judged } : { finished, usage, ...judged };
}
