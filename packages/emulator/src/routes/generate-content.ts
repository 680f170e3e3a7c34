/** `generateContent` and `streamGenerateContent`, the latter as SSE or as a JSON array. */
import { answerTo } from "../answer.ts";
import type { Answer } from "../answer.ts";
import { badField, badRequest, Refusal, tooManyTokens } from "../error-bodies.ts";
import { arrayReply, sseReply } from "../framing.ts";
import { asArray, snakeCase } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { nativeWhole } from "../native-answer.ts";
import { nativePrompt } from "../prompt.ts";
import { jsonReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import { charge, requiredModel } from "./context.ts";
import type { RouteContext } from "./context.ts";

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
  const { body, project, responseId, answerFault: fault } = context;
  checkRequest(body);
  const model = requiredModel(context, context.route.model, "generateContent");
  const prompt = nativePrompt(body);
  charge(context, model, { family: "generate", requests: 1, tokens: prompt.tokens });
  // Charged all the same: an over-long prompt was seen to use up the minute's quota.
  if (prompt.tokens > model.inputTokenLimit) throw new Refusal(tooManyTokens(model.inputTokenLimit));
  return answerTo({ prompt, projectName: project.name, model, responseId, fault });
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
