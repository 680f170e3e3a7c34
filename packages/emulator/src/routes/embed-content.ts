/** `embedContent` and `batchEmbedContents`: quota is counted per text, not per call. */
import { badRequest, Refusal } from "../error-bodies.ts";
import { embeddingOf } from "../embedding.ts";
import { asArray, asNumber, asObject, fieldOf } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { Model } from "../models.ts";
import { textOfContent, tokensIn } from "../prompt.ts";
import { jsonReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import { charge, requiredModel } from "./context.ts";
import type { RouteContext } from "./context.ts";

/** Texts in one batch, as Google has it. */
const BATCH_TEXTS_MAX = 100;

export function embedContent(context: RouteContext): Reply {
  const model = requiredModel(context, context.route.model, "embedContent");
  const text = textOfContent(context.body["content"]);
  if (text === "")
    throw new Refusal(badRequest("* EmbedContentRequest.content: contents is not specified\n"));
  charge(context, model, { family: "embed", requests: 1, tokens: tokensIn(text) });
  return jsonReply({ embedding: { values: vectorOf(context.body, model) } });
}

export function batchEmbedContents(context: RouteContext): Reply {
  const model = requiredModel(context, context.route.model, "embedContent");
  const requests = asArray(context.body["requests"]).map(asObject);
  if (requests.length === 0) {
    throw new Refusal(badRequest("* BatchEmbedContentsRequest.requests: requests is not specified\n"));
  }
  if (requests.length > BATCH_TEXTS_MAX) {
    throw new Refusal(
      badRequest(
        `* BatchEmbedContentsRequest.requests: at most ${BATCH_TEXTS_MAX} requests can be in one batch\n`,
      ),
    );
  }
  const tokens = requests.reduce((sum, request) => sum + tokensIn(textOfContent(request["content"])), 0);
  charge(context, model, { family: "embed", requests: requests.length, tokens });
  return jsonReply({ embeddings: requests.map((request) => ({ values: vectorOf(request, model) })) });
}

/** One request of a batch job, which has a quota of its own. */
export function batchedEmbedding(request: JsonObject, model: Model): object {
  return { embedding: { values: vectorOf(request, model) } };
}

function vectorOf(request: JsonObject, model: Model): readonly number[] {
  const dimensions = asNumber(fieldOf(request, "outputDimensionality")) ?? model.dimensions;
  return embeddingOf(textOfContent(request["content"]), dimensions);
}
