/**
 * Where a JSON body names the model that it is for: at its top, in the requests that it wraps (`requests[].model` of
 * embeddings, `generateContentRequest.model`), where it has to agree with the path, and in a Live session's setup. Pure; runs on the HTTP workers, on the
 * few bodies that name an alias. What a caller says or describes (`contents`, arguments, schemas) is never looked into.
 */
import type { Span } from "./body-reading.ts";
import { closingQuote, QUOTE } from "./string-end.ts";

/** A name, without its quotes, as it stands in the body. */
export interface ModelPlace extends Span {
  readonly name: string;
}

/** Keys under which requests and setups are wrapped, in both spellings. */
const WRAPPERS: ReadonlySet<string> = new Set([
  "requests",
  "request",
  "batch",
  "inputConfig",
  "input_config",
  "generateContentRequest",
  "generate_content_request",
  "embedContentRequest",
  "embed_content_request",
  "setup",
  "bidiGenerateContentSetup",
  "bidi_generate_content_setup",
]);
/** Deepest nesting followed: batches wrap five deep. */
const DEPTH_MAX = 12;
/** Longest name that is looked at, bytes; escaped it may be longer than it is. */
const NAME_BYTES_MAX = 1200;

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;

/** An object or array that may hold a model. */
interface Level {
  readonly isArray: boolean;
  /** A key comes next. */
  keyComes: boolean;
  key: string;
}

/** Every place, in order; of two keys alike both. Of bytes that are no JSON it may tell anything. Never throws. */
export function modelPlaces(body: Buffer): ModelPlace[] {
  const places: ModelPlace[] = [];
  const levels: Level[] = [];
  let at = 0;
  while (at < body.length) {
    const byte = body[at] as number;
    const level = levels.at(-1);
    if (byte === QUOTE) {
      const end = closingQuote(body, at + 1);
      if (end < 0) return places;
      if (level !== undefined) takeString(body, at + 1, end, level, places);
      at = end + 1;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      const isArray = byte === OPEN_BRACKET;
      if (!isWrapper(level, isArray, levels.length)) {
        at = endOfValue(body, at);
        continue;
      }
      levels.push({ isArray, keyComes: !isArray, key: level?.isArray === true ? level.key : "" });
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) levels.pop();
    else if (byte === COMMA && level !== undefined) level.keyComes = !level.isArray;
    at += 1;
  }
  return places;
}

function takeString(body: Buffer, start: number, end: number, level: Level, places: ModelPlace[]): void {
  if (level.keyComes) {
    level.keyComes = false;
    level.key = end - start > NAME_BYTES_MAX ? "" : textBetween(body, start, end);
  } else if (!level.isArray && level.key === "model" && end - start <= NAME_BYTES_MAX) {
    places.push({ start, end, name: textBetween(body, start, end) });
  }
}

/** The body itself, and what stands under a wrapper's key, also in an array. */
function isWrapper(level: Level | undefined, isArray: boolean, depth: number): boolean {
  if (level === undefined) return depth === 0 && !isArray;
  return depth < DEPTH_MAX && (level.isArray ? !isArray : WRAPPERS.has(level.key));
}

/** Behind the object or array that begins at `from`. */
function endOfValue(body: Buffer, from: number): number {
  let depth = 0;
  let at = from;
  while (at < body.length) {
    const byte = body[at] as number;
    at += 1;
    if (byte === QUOTE) {
      const end = closingQuote(body, at);
      if (end < 0) return body.length;
      at = end + 1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return at;
}

function textBetween(body: Buffer, start: number, end: number): string {
  const text = body.toString("utf8", start, end);
  if (!text.includes("\\")) return text;
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return text;
  }
}
