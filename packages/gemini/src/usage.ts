/**
 * Token counts of an answer, read from its last bytes. Runs on the HTTP workers, once per request, for the log.
 * Must never parse a whole answer: it looks for the last usage object and reads that.
 */

/** Tokens of one answer, as the upstream counted them. Thoughts are output: they are paid as such. */
export interface Usage {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
}

/** Longest usage object read, characters; Google's stay under 2,000. */
const USAGE_LENGTH_MAX = 8192;
/** How many occurrences of a name are tried from the end; compatible streams end with `"usage": null` events. */
const TRIES_MAX = 8;
/** Bytes at the end of an answer that are searched. */
const SEARCH_BYTES_MAX = 65_536;

/** White space skipped on either side of a colon, characters. */
const SPACE_MAX = 64;

const SPACE = 0x20;
const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** In order of trial. Inside a JSON string these would have their quotes escaped, so that no text looks like them. */
const USAGE_NAMES: readonly string[] = ['"usageMetadata"', '"usage"'];

type Counts = Readonly<Record<string, unknown>>;

function sum(counts: Counts, names: readonly string[]): number | undefined {
  let total: number | undefined;
  for (const name of names) {
    const value = counts[name];
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) total = (total ?? 0) + value;
  }
  return total;
}

function usageOf(counts: Counts): Usage | undefined {
  const prompt =
    sum(counts, ["promptTokenCount", "toolUsePromptTokenCount"]) ??
    sum(counts, ["prompt_tokens", "total_input_tokens"]);
  const output =
    sum(counts, ["candidatesTokenCount", "responseTokenCount", "thoughtsTokenCount"]) ??
    sum(counts, ["completion_tokens", "total_output_tokens", "total_thought_tokens"]);
  const total = sum(counts, ["totalTokenCount"]) ?? sum(counts, ["total_tokens"]);
  if (prompt === undefined && output === undefined && total === undefined) return undefined;
  const promptTokens = prompt ?? 0;
  const outputTokens = output ?? 0;
  return { promptTokens, outputTokens, totalTokens: total ?? promptTokens + outputTokens };
}

/**
 * The object that begins at `start`, or undefined when it is cut off, too long or no object. Where it ends is guessed by
 * its braces; what parses from one brace to another is that object and no other, so that only a string that holds braces
 * asks for a closer look.
 */
function objectAt(text: string, start: number): Counts | undefined {
  const limit = Math.min(text.length, start + USAGE_LENGTH_MAX);
  return (
    parse(text, start, endByBraces(text, start, limit)) ?? parse(text, start, endOfObject(text, start, limit))
  );
}

function parse(text: string, start: number, end: number): Counts | undefined {
  if (end < 0) return undefined;
  try {
    return JSON.parse(text.slice(start, end)) as Counts;
  } catch {
    return undefined;
  }
}

/** Behind the brace that closes as many as were opened, whatever strings hold; -1 when that is not before `limit`. */
function endByBraces(text: string, start: number, limit: number): number {
  let open = start;
  let depth = 0;
  for (
    let close = text.indexOf("}", start);
    close >= 0 && close < limit;
    close = text.indexOf("}", close + 1)
  ) {
    for (; open >= 0 && open < close; open = text.indexOf("{", open + 1)) depth += 1;
    depth -= 1;
    if (depth === 0) return close + 1;
  }
  return -1;
}

/** Behind the closing brace of the object; -1 when that is not before `limit`. */
function endOfObject(text: string, start: number, limit: number): number {
  let depth = 0;
  for (let at = start; at < limit; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at + 1, limit);
    } else if (code === OPEN_BRACE) {
      depth += 1;
    } else if (code === CLOSE_BRACE) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

/** At the closing quote of the string, or at `limit`. */
function endOfString(text: string, start: number, limit: number): number {
  let at = start;
  while (at < limit && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

/** The brace that opens a member's value, behind its name; -1 when the value is no object. */
function startOfObject(text: string, nameEnd: number): number {
  const colonAt = withoutSpace(text, nameEnd);
  if (text.charCodeAt(colonAt) !== COLON) return -1;
  const start = withoutSpace(text, colonAt + 1);
  return text.charCodeAt(start) === OPEN_BRACE ? start : -1;
}

function withoutSpace(text: string, start: number): number {
  let at = start;
  while (at < start + SPACE_MAX && text.charCodeAt(at) <= SPACE) at += 1;
  return at;
}

function lastUsageNamed(text: string, name: string): Usage | undefined {
  let at = text.length;
  for (let tries = 0; tries < TRIES_MAX && at > 0; tries += 1) {
    at = text.lastIndexOf(name, at - 1);
    if (at < 0) return undefined;
    const start = startOfObject(text, at + name.length);
    const counts = start < 0 ? undefined : objectAt(text, start);
    const usage = counts === undefined ? undefined : usageOf(counts);
    if (usage !== undefined) return usage;
  }
  return undefined;
}

/**
 * The last usage in an answer or in its tail: native, compatible or Interactions.
 * @returns undefined when there is none. Never throws.
 */
export function readUsage(answer: string | Buffer): Usage | undefined {
  return typeof answer === "string" ? usageIn(answer.slice(-SEARCH_BYTES_MAX)) : usageInBytes(answer);
}

/** Nearly always the last of its name is the one, and only what follows it is made a text. */
function usageInBytes(answer: Buffer): Usage | undefined {
  const start = Math.max(0, answer.length - SEARCH_BYTES_MAX);
  const [name = ""] = USAGE_NAMES;
  const end = start === 0 ? answer : answer.subarray(start);
  const at = end.lastIndexOf(name, end.length, "latin1");
  const found = at < 0 ? undefined : lastUsageNamed(end.toString("latin1", at), name);
  return found ?? usageIn(end.toString("latin1"));
}

function usageIn(text: string): Usage | undefined {
  for (const name of USAGE_NAMES) {
    const usage = lastUsageNamed(text, name);
    if (usage !== undefined) return usage;
  }
  return undefined;
}
