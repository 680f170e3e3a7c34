/** What a batch says to one of its requests, in the shape of its output. Throws a Refusal for one that cannot be answered. */
import { asObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { BatchRecord } from "../resources/records.ts";
import { requiredModel } from "./context.ts";
import type { RouteContext } from "./context.ts";
import { batchedEmbedding } from "./embed-content.ts";
import { batchedAnswer } from "./generate-content.ts";
import { batchedCompletion } from "./openai.ts";

/** `line` is one of the batch's requests as it was given. */
export function batchAnswer(context: RouteContext, batch: BatchRecord, line: JsonObject): JsonObject {
  const { key, metadata } = line;
  switch (batch.kind) {
    case "generate": {
      const model = requiredModel(context, batch.model, "generateContent");
      return { key, metadata, response: batchedAnswer(context, model, asObject(line["request"])) };
    }
    case "embed": {
      const model = requiredModel(context, batch.model, "embedContent");
      return { key, metadata, response: batchedEmbedding(asObject(line["request"]), model) };
    }
    case "openai": {
      const body = batchedCompletion(context, asObject(line["body"]));
      const response = { status_code: 200, request_id: context.responseId, body };
      return { id: `batch_req_${context.responseId}`, custom_id: line["custom_id"], response, error: null };
    }
  }
}
