/** `generateContent` and `streamGenerateContent`, the latter as SSE or as a JSON array. */
import { answerTo } from "../answer.ts";
import type { Answer } from "../answer.ts";
import { badField, badRequest, Refusal, tooManyTokens } from "../error-bodies.ts";
import { arrayReply, sseReply } from "../framing.ts";
import { asArray, asText, fieldOf, snakeCase } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { Model } from "../models.ts";
import { nativeWhole } from "../native-answer.ts";
import { nativePrompt } from "../prompt.ts";
import { cacheModelMismatch, cacheWithInstructions } from "../resource-errors.ts";
import { answerPart } from "../continuation.ts";
import { jsonReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import { charge, requiredModel } from "./context.ts";
import type { RouteContext } from "./context.ts";
import { filesAsked } from "./made-files.ts";
import { cachedContentOf, checkReferences } from "./references.ts";

const REQUEST_FIELDS: ReadonlySet<string> = new Set(
  [
    "model",
    "contents",
    "tools",
    "toolConfig",
    "safetySettings",
    "systemInstruction",
    "generationConfig",
    "cachedContent",
    "continuationToken",
    "serviceTier",
    "store",
    "labels",
  ].flatMap((name) => [name, snakeCase(name)]),
);

export function generateContent(context: RouteContext): Reply {
  const reply = jsonReply(nativeWhole(nativeAnswer(context)));
  return { ...reply, headers: { ...reply.headers, "x-gemini-service-tier": "standard" } };
}

export function streamGenerateContent(context: RouteContext): Reply {
  const answer = nativeAnswer(context);
  return context.query.get("alt") === "sse" ? sseReply(answer) : arrayReply(answer);
}

function nativeAnswer(context: RouteContext): Answer {
  checkRequest(context.body);
  const model = requiredModel(context, context.route.model, "generateContent");
  checkReferences(context);
  return answerBody(context, model, context.body, "charged");
}

/** One request of a batch, answered whole. Batches have a quota of their own: this one is not charged. */
export function batchedAnswer(context: RouteContext, model: Model, body: JsonObject): object {
  checkRequest(body);
  checkReferences(context, body);
  return nativeWhole(answerBody(context, model, body, "free"));
}

function answerBody(
  context: RouteContext,
  model: Model,
  body: JsonObject,
  price: "charged" | "free",
): Answer {
  const { project, responseId, answerFault: fault } = context;
  const cache = explicitlyCached(context, model, body);
  const own = nativePrompt(body);
  const prompt = { ...own, tokens: own.tokens + cache };
  if (price === "charged") charge(context, model, { family: "generate", requests: 1, tokens: prompt.tokens });
  // Charged all the same: an over-long prompt was seen to use up the minute's quota.
  if (prompt.tokens > model.inputTokenLimit) throw new Refusal(tooManyTokens(model.inputTokenLimit));
  const { implicitCache } = context.resources;
  const cachedTokens = cache > 0 ? cache : implicitCache.cachedTokens(project.name, model.resolvesTo, body);
  const asked = asText(fieldOf(body, "continuationToken"));
  const { part, continuationToken } = answerPart(prompt.text, asked, project.name);
  return answerTo({
    prompt,
    projectName: project.name,
    model,
    responseId,
    fault,
    cachedTokens,
    part,
    continuationToken,
    files: filesAsked(context, prompt.text),
  });
}

/** Tokens of the cache the body names; the caller's right to it has been checked. */
function explicitlyCached(context: RouteContext, model: Model, body: JsonObject): number {
  const name = cachedContentOf(body);
  const cache = name === undefined ? undefined : context.resources.caches.find(name, context.nowMs)?.value;
  if (cache === undefined) return 0;
  if (["systemInstruction", "tools", "toolConfig"].some((field) => fieldOf(body, field) !== undefined)) {
    throw new Refusal(cacheWithInstructions());
  }
  if (cache.model !== `models/${model.name}`) throw new Refusal(cacheModelMismatch(model.name, cache.model));
  return cache.tokens;
}

/** Refuses what Google's JSON parser and its request check refuse first. */
function checkRequest(body: JsonObject): void {
  for (const name of Object.keys(body)) {
    if (REQUEST_FIELDS.has(name)) continue;
    throw new Refusal(
      badField("", `Invalid JSON payload received. Unknown name "${name}": Cannot find field.`),
    );
  }
  if (asArray(body["contents"]).length === 0) {
    throw new Refusal(badRequest("* GenerateContentRequest.contents: contents is not specified\n"));
  }
}
