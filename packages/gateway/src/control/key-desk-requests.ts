/**
 * The commands on single keys: what may be asked, how it is checked, and to whom it goes. Primary thread.
 * Must never repeat in an error what was sent in place of a fingerprint: it may be a key.
 *
 * | route | body | answer |
 * | POST /keys/wish | KeyWishRequest | KeyWishReport |
 * | POST /keys/explain | {fingerprint} | KeyExplanation |
 * | POST /keys/test | TestRequest | a TestLine a line |
 */
import type {
  KeyDeskHandlers,
  KeySelection,
  KeyWishRequest,
  TestLine,
  TestRequest,
} from "./key-desk-types.ts";
import { OperatorError } from "./operator-error.ts";

export const FINGERPRINT = /^k-[a-z2-7]{12,51}$/;
/** Most fingerprints at once: more than a command line holds. */
export const FINGERPRINTS_MAX = 100_000;
export const KEY_NOTE_LENGTH_MAX = 200;
export const TESTED_MODELS_MAX = 32;
export const TEST_CONCURRENCY_MAX = 64;

const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const WISHES: ReadonlySet<unknown> = new Set(["enable", "disable", "reset"]);
const ASKS: ReadonlySet<unknown> = new Set(["auto", "generate", "count", "list"]);

type Fields = Readonly<Record<string, unknown>>;

/** The answer to a command about single keys; undefined when the route is none of these. */
export async function keyDeskAnswer(
  route: string,
  readJson: () => Promise<unknown>,
  handlers: KeyDeskHandlers,
): Promise<object | undefined> {
  switch (route) {
    case "POST /keys/wish":
      return handlers.wish(readWish(await readJson()));
    case "POST /keys/explain":
      return handlers.explain(readFingerprint(await readJson()));
    default:
      return undefined;
  }
}

/** The lines of `POST /keys/test`. */
export async function testLines(
  readJson: () => Promise<unknown>,
  handlers: KeyDeskHandlers,
  signal: AbortSignal,
): Promise<AsyncIterable<TestLine>> {
  return handlers.test(readTest(await readJson()), signal);
}

function readWish(body: unknown): KeyWishRequest {
  const fields = fieldsOf(body);
  const { wish, note } = fields;
  const isNote = note === null || (typeof note === "string" && note.length <= KEY_NOTE_LENGTH_MAX);
  if (!WISHES.has(wish) || !isNote) {
    throw bad(
      `What is wished of keys is enable, disable or reset, with a note of ${KEY_NOTE_LENGTH_MAX} characters.`,
    );
  }
  return { ...readSelection(fields), wish: wish as KeyWishRequest["wish"], note };
}

function readFingerprint(body: unknown): string {
  const { fingerprint } = fieldsOf(body);
  if (typeof fingerprint !== "string" || !FINGERPRINT.test(fingerprint)) throw noFingerprint();
  return fingerprint;
}

function readTest(body: unknown): TestRequest {
  const fields = fieldsOf(body);
  const { models, concurrency, ask } = fields;
  if (
    !areTexts(models) ||
    models.length > TESTED_MODELS_MAX ||
    !models.every((name) => MODEL_NAME.test(name))
  ) {
    throw bad(`Keys are tested on at most ${TESTED_MODELS_MAX} models, named like gemini-3.8-flash.`);
  }
  const isCount =
    Number.isInteger(concurrency) && Number(concurrency) >= 1 && Number(concurrency) <= TEST_CONCURRENCY_MAX;
  if (concurrency !== null && !isCount)
    throw bad(`At most ${TEST_CONCURRENCY_MAX} tests run at once, and at least one.`);
  if (!ASKS.has(ask)) throw bad("A test asks auto, generate, count or list.");
  return {
    ...readSelection(fields),
    models,
    concurrency: concurrency as number | null,
    ask: ask as TestRequest["ask"],
  };
}

function readSelection({ fingerprints, all }: Fields): KeySelection {
  if (!areTexts(fingerprints) || fingerprints.length > FINGERPRINTS_MAX || typeof all !== "boolean") {
    throw bad("Keys are named by a list of fingerprints, or all.");
  }
  if (!fingerprints.every((name) => FINGERPRINT.test(name))) throw noFingerprint();
  return { fingerprints, all };
}

function noFingerprint(): OperatorError {
  return bad("Keys are named by fingerprints such as k-abcdefghij23, as `keys list` shows them.");
}

function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function fieldsOf(body: unknown): Fields {
  return typeof body === "object" && body !== null ? (body as Fields) : {};
}

function bad(message: string): OperatorError {
  return new OperatorError("bad-request", message);
}
