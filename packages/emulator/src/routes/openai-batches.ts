/** Batches of the OpenAI-compatible surface. Their ids hold a slash, which clients percent-encode in paths. */
import { badRequest, Refusal } from "../error-bodies.ts";
import { asObject, asText, isObject } from "../json.ts";
import { compactReply } from "../reply.ts";
import type { Reply } from "../reply.ts";
import type { BatchRecord, BatchState } from "../resources/records.ts";
import type { Entry } from "../resources/shelf.ts";
import { pageOf, pageWish } from "./access.ts";
import { cancelBatch, keepBatch, ownedBatch, pollBatch, requestsInFile } from "./batch-jobs.ts";
import type { RouteContext } from "./context.ts";

const STATUSES: Readonly<Record<BatchState, string>> = {
  PENDING: "validating",
  RUNNING: "in_progress",
  SUCCEEDED: "completed",
  FAILED: "failed",
  CANCELLED: "cancelled",
};
const BATCHES_LISTED_MAX = 10_000;

export function createOpenAiBatch(context: RouteContext): Reply {
  const inputFile = asText(context.body["input_file_id"]);
  if (inputFile === undefined) throw new Refusal(badRequest("input_file_id is not specified"));
  const requests = requestsInFile(context, inputFile);
  const endpoint = asText(context.body["endpoint"]) ?? "/v1/chat/completions";
  const model = asText(asObject(requests[0]?.["body"])["model"]) ?? "";
  const batch = { kind: "openai", model, displayName: "", inputFile, requests, endpoint } as const;
  return compactReply(openAiBatch(keepBatch(context, batch)));
}

function openAiBatch({ name, value }: Entry<BatchRecord>): object {
  const total = value.requests.length;
  const failed = (value.output?.responses ?? []).filter(({ error }) => isObject(error)).length;
  const seconds = (atMs: number): number => Math.floor(atMs / 1000);
  const isDone = value.output !== undefined;
  return {
    id: name,
    object: "batch",
    endpoint: value.endpoint,
    input_file_id: value.inputFile ?? null,
    completion_window: "24h",
    status: STATUSES[value.state],
    created_at: seconds(value.createdAtMs),
    ...(isDone && { completed_at: seconds(value.updatedAtMs), output_file_id: value.output?.file }),
    request_counts: { total, completed: isDone ? total - failed : 0, failed },
  };
}

/** The id in a path, with or without `batches/`. */
function batchOfPath(context: RouteContext): Entry<BatchRecord> {
  const id = context.route.ids[0] ?? "";
  return ownedBatch(context, id.startsWith("batches/") ? id : `batches/${id}`);
}

export function getOpenAiBatch(context: RouteContext): Reply {
  const entry = batchOfPath(context);
  pollBatch(context, entry);
  return compactReply(openAiBatch(entry));
}

export function listOpenAiBatches(context: RouteContext): Reply {
  const wish = pageWish(new URLSearchParams(), "openai batches", BATCHES_LISTED_MAX, BATCHES_LISTED_MAX);
  const { entries } = pageOf(context, context.resources.batches, wish);
  return compactReply({ object: "list", data: entries.map(openAiBatch), has_more: false });
}

export function cancelOpenAiBatch(context: RouteContext): Reply {
  const entry = batchOfPath(context);
  cancelBatch(context, entry);
  return compactReply(openAiBatch(entry));
}
