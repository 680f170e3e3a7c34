/**
 * Whether a whole 200 answer is worth passing on. Runs on the HTTP workers, once per unary answer.
 * Must never call a verdict of the model empty: see answer-content.ts for what counts.
 */
import { contentOf } from "./answer-content.ts";
import { GENERATING_OPERATIONS, type Surface } from "./path-grammar.ts";

/** "error": the body is an error object in spite of the status. "broken": not the JSON it ought to be. */
export type AnswerVerdict = "meaningful" | "empty" | "broken" | "error";

/** The part of a route that decides how an answer is read. */
export interface AnswerKind {
  readonly surface: Surface;
  readonly operation: string;
}

const SPACE = 0x20;
const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Index of the first byte at or after `from` that is not JSON white space. */
function skipSpace(body: Buffer, from: number): number {
  let index = from;
  while (index < body.length && (body[index] ?? 0) <= SPACE) index += 1;
  return index;
}

/** Index just after `byte`, white space before it allowed; -1 when something else is there. */
function after(body: Buffer, from: number, byte: number): number {
  const index = from < 0 ? -1 : skipSpace(body, from);
  return index >= 0 && body[index] === byte ? index + 1 : -1;
}

function afterWord(body: Buffer, from: number, word: Buffer): number {
  const index = from < 0 ? -1 : skipSpace(body, from);
  if (index < 0) return -1;
  for (let at = 0; at < word.length; at += 1) if (body[index + at] !== word[at]) return -1;
  return index + word.length;
}

const PARTS = Buffer.from('"parts"');
const TEXT = Buffer.from('"text"');
const CONTENT = Buffer.from('"content"');

/** A string that begins at `from` and is not empty. A quote inside a JSON string is escaped, so no value looks so. */
function beginsText(body: Buffer, from: number): boolean {
  const inside = after(body, after(body, from, COLON), QUOTE);
  return inside >= 0 && inside < body.length && body[inside] !== QUOTE;
}

/**
 * True when the bytes show content without being parsed: `"parts":[{"text":"x` or, for compatible answers,
 * `"content":"x`. False says nothing. Works on the head of an answer as well as on the whole.
 */
export function showsText(body: Buffer, surface: Surface): boolean {
  if (surface === "openai") {
    const at = body.indexOf(CONTENT);
    return at >= 0 && beginsText(body, at + CONTENT.length);
  }
  const at = body.indexOf(PARTS);
  if (at < 0) return false;
  const part = after(body, after(body, after(body, at + PARTS.length, COLON), OPEN_BRACKET), OPEN_BRACE);
  const text = afterWord(body, part, TEXT);
  return text >= 0 && beginsText(body, text);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

const ERROR = Buffer.from('"error"');

/** `{"error"` or `[{"error"`, the only field that an error has. */
function beginsError(body: Buffer): boolean {
  const inArray = after(body, 0, OPEN_BRACKET);
  return afterWord(body, after(body, Math.max(inArray, 0), OPEN_BRACE), ERROR) >= 0;
}

/** Any JSON container from the first byte to the last; what lies between is the client's to read. */
function isContainer(body: Buffer): boolean {
  const first = body[skipSpace(body, 0)];
  let end = body.length - 1;
  while (end > 0 && (body[end] ?? 0) <= SPACE) end -= 1;
  return (
    (first === OPEN_BRACE && body[end] === CLOSE_BRACE) ||
    (first === OPEN_BRACKET && body[end] === CLOSE_BRACKET)
  );
}

/**
 * Judges a whole body of a 200.
 * Answers that show text in their first part are not parsed; the rest is. Operations that generate nothing only have
 * to be JSON, and "other" ones not even that: downloads and upload steps are bytes of any kind, or none.
 */
export function judgeAnswer(body: Buffer, kind: AnswerKind): AnswerVerdict {
  if (beginsError(body) && contentOf(parse(body), kind.surface) === "error") return "error";
  if (!GENERATING_OPERATIONS.has(kind.operation))
    return kind.operation === "other" ? "meaningful" : judgeContainer(body);
  if (skipSpace(body, 0) === body.length) return "empty";
  if (!isContainer(body)) return "broken";
  if (showsText(body, kind.surface)) return "meaningful";
  const value = parse(body);
  if (value === undefined) return "broken";
  const content = contentOf(value, kind.surface);
  return content === "nothing" ? "empty" : content;
}

function judgeContainer(body: Buffer): AnswerVerdict {
  if (skipSpace(body, 0) === body.length) return "empty";
  return isContainer(body) ? "meaningful" : "broken";
}
