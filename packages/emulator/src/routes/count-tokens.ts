/** `countTokens`: free of quota, in both forms of its body. */
import { badRequest, Refusal } from "../error-bodies.ts";
import { asArray, asObject, fieldOf, isObject } from "../json.ts";
import { contentTokens } from "../prompt.ts";
import { jsonReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import { requiredModel } from "./context.ts";
import type { RouteContext } from "./context.ts";

export function countTokens(context: RouteContext): Reply {
  requiredModel(context, context.route.model, "countTokens");
  // Older clients wrap the whole request that they are going to send.
  const wrapped = fieldOf(context.body, "generateContentRequest");
  const request = isObject(wrapped) ? wrapped : asObject(context.body);
  if (asArray(request["contents"]).length === 0) {
    throw new Refusal(badRequest("* CountTokensRequest.contents: contents is not specified\n"));
  }
  const tokens = contentTokens(request);
  const promptTokensDetails = [{ modality: "TEXT", tokenCount: tokens }];
  return jsonReply({ totalTokens: tokens, promptTokensDetails });
}
