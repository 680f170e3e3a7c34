/** Native batches: `:batchGenerateContent`, `:asyncBatchEmbedContent`, and what is asked about them afterwards. */
import { badRequest, Refusal } from "../error-bodies.ts";
import { asArray, asObject, asText, fieldOf } from "../json.ts";
import { jsonReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import type { BatchRecord } from "../resources/records.ts";
import type { Entry } from "../resources/shelf.ts";
import { listBody, pageOf, pageWish, timestamp } from "./access.ts";
import { cancelBatch, keepBatch, ownedBatch, pollBatch, requestsInFile } from "./batch-jobs.ts";
import { requiredModel } from "./context.ts";
import type { RouteContext } from "./context.ts";
import { checkReferences } from "./references.ts";

const TYPE_PREFIX = "type.googleapis.com/google.ai.generativelanguage.v1main.";

export function createGenerateBatch(context: RouteContext): Reply {
  return createBatch(context, "generate", "batchGenerateContent");
}

export function createEmbedBatch(context: RouteContext): Reply {
  return createBatch(context, "embed", "asyncBatchEmbedContent");
}

function createBatch(context: RouteContext, kind: "generate" | "embed", method: string): Reply {
  const model = requiredModel(context, context.route.model, method);
  const batch = asObject(context.body["batch"]);
  const input = asObject(fieldOf(batch, "inputConfig"));
  const inputFile = asText(fieldOf(input, "fileName"));
  checkReferences(context);
  const inline = asArray(asObject(input["requests"])["requests"]).map(asObject);
  const requests = inputFile === undefined ? inline : requestsInFile(context, inputFile);
  if (requests.length === 0) throw new Refusal(badRequest("The batch has no requests."));
  const displayName = asText(fieldOf(batch, "displayName")) ?? "";
  const made = { kind, model: model.name, displayName, inputFile, requests, endpoint: "" };
  return jsonReply(batchBody(keepBatch(context, made)));
}

/** A batch as a long-running operation: what it is in `metadata`, what it gave in `response`, once done. */
function batchBody({ name, value }: Entry<BatchRecord>): object {
  const kind = value.kind === "embed" ? "EmbedContentBatch" : "GenerateContentBatch";
  const isOver = value.state !== "PENDING" && value.state !== "RUNNING";
  const output = outputOf(value);
  const metadata = {
    "@type": `${TYPE_PREFIX}${kind}`,
    model: `models/${value.model}`,
    displayName: value.displayName,
    ...(output !== undefined && { output }),
    createTime: timestamp(value.createdAtMs),
    ...(isOver && { endTime: timestamp(value.updatedAtMs) }),
    updateTime: timestamp(value.updatedAtMs),
    batchStats: statsOf(value),
    state: `BATCH_STATE_${value.state}`,
    name,
  };
  if (!isOver) return { name, metadata };
  const response =
    output === undefined ? {} : { response: { "@type": `${TYPE_PREFIX}${kind}Output`, ...output } };
  const error =
    value.state === "CANCELLED" ? { error: { code: 1, message: "The batch was cancelled." } } : {};
  return { name, metadata, done: true, ...response, ...error };
}

function outputOf({ output, kind }: BatchRecord): object | undefined {
  if (output === undefined) return undefined;
  if (output.file !== undefined) return { responsesFile: output.file };
  const field = kind === "embed" ? "inlinedEmbedContentResponses" : "inlinedResponses";
  return { [field]: { inlinedResponses: output.responses } };
}

function statsOf({ requests, output }: BatchRecord): object {
  const count = String(requests.length);
  if (output === undefined) return { requestCount: count, pendingRequestCount: count };
  const failed = output.responses.filter((response) => response["error"] !== undefined).length;
  return {
    requestCount: count,
    ...(failed < requests.length && { successfulRequestCount: String(requests.length - failed) }),
    ...(failed > 0 && { failedRequestCount: String(failed) }),
  };
}

function batchOfPath(context: RouteContext): Entry<BatchRecord> {
  return ownedBatch(context, `batches/${context.route.ids[0] ?? ""}`);
}

export function getBatch(context: RouteContext): Reply {
  const entry = batchOfPath(context);
  pollBatch(context, entry);
  return jsonReply(batchBody(entry));
}

export function listBatches(context: RouteContext): Reply {
  const wish = pageWish(context.query, "batches", 50, 1000);
  const { entries, nextPageToken } = pageOf(context, context.resources.batches, wish);
  return jsonReply(listBody("operations", entries.map(batchBody), nextPageToken));
}

export function cancelNativeBatch(context: RouteContext): Reply {
  cancelBatch(context, batchOfPath(context));
  return jsonReply({});
}

export function deleteBatch(context: RouteContext): Reply {
  context.resources.batches.remove(batchOfPath(context).name);
  return jsonReply({});
}
