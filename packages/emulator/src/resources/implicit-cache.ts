/**
 * Implicit context caching: a project that sends the same beginning again pays less for it, and the answer says so.
 * Pure but for its own memory; bounded, the least recently used beginning goes first.
 */
import { createHash } from "node:crypto";
import { asArray, fieldOf } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { contentTokens, textOfContent, tokensIn } from "../prompt.ts";

/** Google's smallest prefix for the flash models, tokens. */
export const IMPLICIT_CACHE_TOKENS_MIN_DEFAULT = 1024;
/** Beginnings remembered over all projects. */
export const PREFIXES_KEPT_MAX = 20_000;
/** Contents of one request that are looked at. */
const CONTENTS_MAX = 64;

export class ImplicitCache {
  readonly #tokensMin: number;
  /** Hash of project, model and beginning → its tokens. */
  readonly #prefixes = new Map<string, number>();

  constructor(tokensMin: number = IMPLICIT_CACHE_TOKENS_MIN_DEFAULT) {
    this.#tokensMin = tokensMin;
  }

  /** Tokens of the longest beginning of this request that the project has sent before; remembers all of its own. */
  cachedTokens(project: string, model: string, request: JsonObject): number {
    // Most requests are too short to be worth a hash.
    if (contentTokens(request) < this.#tokensMin) return 0;
    const contents = asArray(request["contents"]).slice(0, CONTENTS_MAX);
    const system = fieldOf(request, "systemInstruction");
    const hash = createHash("sha256").update(JSON.stringify([project, model, system ?? null]));
    let tokens = tokensIn(textOfContent(system));
    let cached = 0;
    for (const content of contents) {
      hash.update(JSON.stringify(content));
      tokens += tokensIn(textOfContent(content));
      if (tokens < this.#tokensMin) continue;
      const prefix = hash.copy().digest("base64");
      if (this.#prefixes.delete(prefix)) cached = tokens;
      this.#prefixes.set(prefix, tokens);
    }
    this.#forgetOldest();
    return cached;
  }

  #forgetOldest(): void {
    for (const prefix of this.#prefixes.keys()) {
      if (this.#prefixes.size <= PREFIXES_KEPT_MAX) return;
      this.#prefixes.delete(prefix);
    }
  }
}
