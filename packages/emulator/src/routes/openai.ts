/** The OpenAI-compatible routes under `/v1beta/openai/`. Their errors are lists; their requests name the model inside. */
import { answerTo } from "../answer.ts";
import { embeddingOf, packedEmbedding } from "../embedding.ts";
import { badRequest, Refusal } from "../error-bodies.ts";
import { chatReply } from "../framing.ts";
import type { Answer } from "../answer.ts";
import { asArray, asNumber, asObject, asText } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { Model } from "../models.ts";
import { chatCompletion } from "../openai-answer.ts";
import { chatPrompt, tokensIn } from "../prompt.ts";
import { compactReply, wholeReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import { charge, requiredModel } from "./context.ts";
import type { RouteContext } from "./context.ts";
import { requiredVisible, visibleModels } from "./models.ts";
import { checkReferences } from "./references.ts";

export function chatCompletions(context: RouteContext): Reply {
  const { body } = context;
  const facts = chatFacts(context, body, "charged");
  if (body["stream"] !== true) return compactReply(chatCompletion(facts));
  const includeUsage = asObject(body["stream_options"])["include_usage"] === true;
  return chatReply({ ...facts, includeUsage });
}

/** One request of a batch, answered whole and not charged. */
export function batchedCompletion(context: RouteContext, body: JsonObject): object {
  return chatCompletion(chatFacts(context, body, "free"));
}

interface ChatFacts {
  readonly answer: Answer;
  /** As the caller wrote it. */
  readonly model: string;
  readonly createdSeconds: number;
}

function chatFacts(context: RouteContext, body: JsonObject, price: "charged" | "free"): ChatFacts {
  const { project, responseId, answerFault: fault } = context;
  const name = asText(body["model"]) ?? "";
  if (asArray(body["messages"]).length === 0) {
    throw new Refusal(badRequest("* GenerateContentRequest.contents: contents is not specified\n"));
  }
  const model = requiredModel(context, name, "generateContent");
  checkReferences(context, body);
  const prompt = chatPrompt(body);
  if (price === "charged") charge(context, model, { family: "generate", requests: 1, tokens: prompt.tokens });
  const request = { contents: asArray(body["messages"]).map(nativeContent) };
  const cachedTokens = context.resources.implicitCache.cachedTokens(project.name, model.resolvesTo, request);
  const answer = answerTo({ prompt, projectName: project.name, model, responseId, fault, cachedTokens });
  return { answer, model: name, createdSeconds: Math.floor(context.nowMs / 1000) };
}

/** As far as caching goes a message is a content of one text. */
function nativeContent(message: unknown): object {
  const { role, content } = asObject(message);
  const text = typeof content === "string" ? content : JSON.stringify(content ?? "");
  return { role, parts: [{ text }] };
}

export function openAiEmbeddings(context: RouteContext): Reply {
  const { body } = context;
  const name = asText(body["model"]) ?? "";
  const input = body["input"];
  const texts = (typeof input === "string" ? [input] : asArray(input)).map(String);
  if (texts.length === 0) throw new Refusal(badRequest("input is not specified"));
  const model = requiredModel(context, name, "embedContent");
  const tokens = texts.reduce((sum, text) => sum + tokensIn(text), 0);
  charge(context, model, { family: "embed", requests: texts.length, tokens });
  const dimensions = asNumber(body["dimensions"]) ?? model.dimensions;
  const isPacked = body["encoding_format"] === "base64";
  const data = texts.map((text, index) => {
    const values = embeddingOf(text, dimensions);
    return { embedding: isPacked ? packedEmbedding(values) : values, index, object: "embedding" };
  });
  return compactReply({
    data,
    model: name,
    object: "list",
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

export function openAiListModels(context: RouteContext): Reply {
  return compactReply({ object: "list", data: visibleModels(context).map(openAiModel) });
}

export function openAiGetModel(context: RouteContext): Reply {
  return compactReply(openAiModel(requiredVisible(context)));
}

/** Google keeps the `models/` prefix in these ids. */
function openAiModel({ name }: Model): object {
  return { id: `models/${name}`, object: "model", owned_by: "google", display_name: name };
}

/** Not served by Google: 404 with an empty body. */
export function openAiResponses(): Reply {
  return wholeReply(404, { "content-type": "text/html; charset=UTF-8" }, Buffer.alloc(0));
}
