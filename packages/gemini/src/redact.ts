/**
 * Takes secrets out of texts that are to be shown, logged or passed on. Runs on the HTTP workers and the probers.
 * Google echoes a suspended key whole, up to three times in one error.
 */

export const REDACTED = "[redacted]";

const SPECIAL = /[\\^$.*+?()[\]{}|/-]/g;

/** One character as it may stand in a text: itself, or escaped for JSON, or percent-encoded. */
function characterPattern(character: string): string {
  const literal = character.replace(SPECIAL, "\\$&");
  const unit = character.charCodeAt(0).toString(16).padStart(4, "0");
  const hex = [...unit].map((digit) => (/[a-f]/.test(digit) ? `[${digit}${digit.toUpperCase()}]` : digit)).join("");
  const forms = [`\\\\u${hex}`, literal];
  if (character === "/" || character === "\\" || character === '"') forms.unshift(`\\\\${literal}`);
  for (const encoded of percentForms(character)) forms.push(encoded);
  return `(?:${forms.join("|")})`;
}

function percentForms(character: string): string[] {
  if (character.charCodeAt(0) > 0x7f) {
    // A lone half of a pair has no encoding.
    return /[\ud800-\udfff]/.test(character) ? [] : [encodeURIComponent(character)];
  }
  const hex = character.charCodeAt(0).toString(16).padStart(2, "0");
  return [...new Set([`%${hex}`, `%${hex.toUpperCase()}`])];
}

function secretPattern(secret: string): string {
  let pattern = "";
  for (let index = 0; index < secret.length; index += 1) pattern += characterPattern(secret.charAt(index));
  return pattern;
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
