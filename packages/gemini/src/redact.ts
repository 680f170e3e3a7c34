/**
 * Takes secrets out of texts that are to be shown, logged or passed on. Runs on the HTTP workers and the probers.
 * Google echoes a suspended key whole, up to three times in one error.
 */

export const REDACTED = "[redacted]";

const SPECIAL = /[\\^$.*+?()[\]{}|/-]/g;

/** Hexadecimal digits in either case. */
function hexPattern(hex: string): string {
  return hex.replace(/[a-f]/gi, (digit) => `[${digit.toLowerCase()}${digit.toUpperCase()}]`);
}

function jsonEscape(character: string): string {
  let pattern = "";
  for (let index = 0; index < character.length; index += 1) {
    pattern += `\\\\u${hexPattern(character.charCodeAt(index).toString(16).padStart(4, "0"))}`;
  }
  return pattern;
}

function percentEscape(character: string): string {
  let pattern = "";
  for (const byte of Buffer.from(character)) pattern += `%${hexPattern(byte.toString(16).padStart(2, "0"))}`;
  return pattern;
}

/** One character as it may stand in a text: itself, or escaped for JSON, or percent-encoded. */
function characterPattern(character: string, index: number): string {
  const literal = character.replace(SPECIAL, "\\$&");
  const escapes = [jsonEscape(character)];
  if (character === "/" || character === "\\" || character === '"') escapes.unshift(`\\\\${literal}`);
  const forms = [...(index === 0 ? escapes.map(wholeEscape) : escapes), percentEscape(character), literal];
  return `(?:${forms.join("|")})`;
}

/** An escape whose backslash is not itself escaped: taking half of `\\\\` away would break the JSON around it. */
function wholeEscape(escape: string): string {
  return `${escape}(?<=(?:^|[^\\\\])(?:\\\\\\\\)*${escape})`;
}

function secretPattern(secret: string): string {
  return Array.from(secret, characterPattern).join("");
}

/**
 * Replaces every occurrence of each secret by {@link REDACTED}, also where some or all of its characters are escaped
 * as in JSON (`\u003d`, `\/`) or percent-encoded.
 *
 * @param secrets exact values; empty ones are ignored. Longer ones go first, so that none leaves a tail of another.
 */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  const longestFirst = secrets.filter((secret) => secret !== "").toSorted((a, b) => b.length - a.length);
  if (longestFirst.length === 0 || text === "") return text;
  return text.replace(new RegExp(longestFirst.map(secretPattern).join("|"), "g"), REDACTED);
}

/** Both formats of Google's keys, and whatever an error calls an `api_key:`. */
const KEY_SHAPES = /AIza[\w-]{30,}|\bAQ\.[\w-]{20,}|(?<=\bapi_key:)[^\s'"\\,;]+/g;

/** Second line of defence for texts kept as evidence: removes what looks like a key though nobody named its value. */
export function redactKeyShapes(text: string): string {
  return text.replace(KEY_SHAPES, REDACTED);
}
