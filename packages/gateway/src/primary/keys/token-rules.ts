/**
 * Which words of a key file can be keys. No key's prefix is assumed: Google has changed it before.
 * Pure. A reason must never repeat the word, which may be a key with a slip in it; only a placeholder, made of nothing
 * but the words below, is called by its name.
 */

/** Shorter words are slips of the pen: "key", "none", "todo". Real keys have 39 characters and more. */
export const KEY_CHARACTERS_MIN = 8;
/** Ten times the longest kind known. */
export const KEY_CHARACTERS_MAX = 512;

/** Printable ASCII but for quotes, brackets and marks that show a word to be part of some other text. */
const KEY_CHARACTERS = /^[\w.~+/=:@!%^&*?|-]+$/;

/** `GEMINI_API_KEY=…`, as in an environment file. */
const ASSIGNMENT = /^\w*key\w*=./i;
const EMAIL = /^[^@\s]+@[^@\s]+\.[a-z]+$/i;

/** What remains of a key that was cut short or masked for show, or typed as a run of x. */
const MASKED = /\.{3}|…|\*{3}|x{8}/i;
const ONLY_FILLER = /^(?:AIza(?:Sy)?|AQ\.|sk-)?[x*._-]+$/i;
const IN_BRACKETS = /^[<[{(].*[>\]})]$|^\$\{?\w+\}?$/;

/** Words that tell the reader to put a key there. */
const ORDERS =
  "your|insert|enter|paste|replace|change|changeme|placeholder|example|dummy|sample|here|todo|fixme|undefined";
/** Words that name what is to be put there. */
const SUBJECTS =
  "my|the|with|this|me|it|in|goes|real|actual|own|gemini|google|generative|studio|ai|api|key|keys|secret|token";
const PLACEHOLDER_WORDS = new RegExp(`^(?:(?:${ORDERS}|${SUBJECTS})\\d{0,2})+$`);
const PLACEHOLDER_ORDER = new RegExp(ORDERS);
/** Beyond this length a word is no placeholder, and the expression above is not let loose on it. */
const PLACEHOLDER_CHARACTERS_MAX = 48;
/** Why this word of a key file is not taken for a key; undefined when it is. */
export function refusalOf(word: string): string | undefined {
  const placeholder = placeholderReason(word);
  if (placeholder !== undefined) return placeholder;
  if (word.length < KEY_CHARACTERS_MIN) return `shorter than ${KEY_CHARACTERS_MIN} characters`;
  if (word.length > KEY_CHARACTERS_MAX) return `longer than ${KEY_CHARACTERS_MAX} characters`;
  if (word.includes("://")) return "a web address, not a key";
  if (ASSIGNMENT.test(word)) return "NAME=value: put the key alone on the line";
  if (EMAIL.test(word)) return "an e-mail address, not a key";
  if (!KEY_CHARACTERS.test(word)) return "has a character no key has";
  return undefined;
}

function placeholderReason(word: string): string | undefined {
  if (IN_BRACKETS.test(word)) return "a placeholder in brackets, not a key";
  if (ONLY_FILLER.test(word)) return "a placeholder of filler characters, not a key";
  if (MASKED.test(word)) return "a masked or shortened key, not a whole one";
  if (word.length > PLACEHOLDER_CHARACTERS_MAX) return undefined;
  const letters = word.toLowerCase().replace(/[^a-z0-9]/g, "");
  if (!PLACEHOLDER_WORDS.test(letters)) return undefined;
  // Without an order it may be the name of a variable (GEMINI_API_KEY), but "key-0001" is somebody's test key.
  return PLACEHOLDER_ORDER.test(letters) || !/\d/.test(letters)
    ? `the placeholder ${word}, not a key`
    : undefined;
}
