/**
 * What a health test sends to Google. Pure; runs on the probers.
 * Each asks for as little as can be: one model of the list, the tokens of one word, or one token of an answer.
 */
import type { ProbeAsk } from "@gemini-gateway/core/probing/ask";

export interface ProbeRequest {
  readonly method: "GET" | "POST";
  /** Path and query, without a credential. */
  readonly path: string;
  /** JSON; undefined when the request has none. */
  readonly body: string | undefined;
  /** The request asks for something that some models refuse; {@link plainProbeRequest} does not. */
  readonly isPicky: boolean;
}

const WORD = { contents: [{ role: "user", parts: [{ text: "hi" }] }] };

/**
 * The request of a test. `model` is a bare name, not used by `list`. Generating asks for one token with thinking off;
 * a model of embeddings embeds one word.
 */
export function probeRequest(ask: ProbeAsk, model: string): ProbeRequest {
  const thinkingConfig = ask === "generate" ? thinkingOff(model) : undefined;
  const plain = plainProbeRequest(ask, model);
  if (thinkingConfig === undefined) return plain;
  const body = JSON.stringify({ ...WORD, generationConfig: { maxOutputTokens: 1, thinkingConfig } });
  return { ...plain, body, isPicky: true };
}

/** The same without anything a model might refuse. */
export function plainProbeRequest(ask: ProbeAsk, model: string): ProbeRequest {
  const path = `/v1beta/models/${encodeURIComponent(model)}`;
  switch (ask) {
    case "list":
      return { method: "GET", path: "/v1beta/models?pageSize=1", body: undefined, isPicky: false };
    case "count":
      return { method: "POST", path: `${path}:countTokens`, body: JSON.stringify(WORD), isPicky: false };
    case "generate":
      return isEmbedding(model)
        ? { method: "POST", path: `${path}:embedContent`, body: JSON.stringify(EMBED), isPicky: false }
        : { method: "POST", path: `${path}:generateContent`, body: JSON.stringify(GENERATE), isPicky: false };
  }
}

const GENERATE = { ...WORD, generationConfig: { maxOutputTokens: 1 } };
const EMBED = { content: WORD.contents[0] };

function isEmbedding(model: string): boolean {
  return model.includes("embedding");
}

/**
 * How thinking is switched off, or down to its least, where the family allows it: 2.5 by a budget, 3 and later by a
 * level. Undefined for the others: their one token of output bounds the thinking, too.
 */
function thinkingOff(model: string): object | undefined {
  if (model.startsWith("gemini-2.5-flash")) return { thinkingBudget: 0 };
  return /^gemini-(?:[3-9]|\d\d)\b.*flash/.test(model) ? { thinkingLevel: "minimal" } : undefined;
}
