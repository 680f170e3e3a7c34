/**
 * Batch jobs, native and OpenAI's alike: kept with their requests, worked on by polls, done after a number of them.
 * Answers are made when the job is done; a request that cannot be answered gives an error in its own line.
 */
import { badRequest, Refusal } from "../error-bodies.ts";
import { isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { mayNotAccess } from "../resource-errors.ts";
import type { BatchRecord } from "../resources/records.ts";
import type { Entry } from "../resources/shelf.ts";
import { kept, newId, owned } from "./access.ts";
import { batchAnswer } from "./batch-answers.ts";
import type { RouteContext } from "./context.ts";
import { intakeOf, keepFile, usableFile } from "./files.ts";

/** Requests of one batch; more are refused. */
export const BATCH_REQUESTS_MAX = 50_000;

export type NewBatch = Pick<
  BatchRecord,
  "kind" | "model" | "displayName" | "inputFile" | "requests" | "endpoint"
>;

export function keepBatch(context: RouteContext, batch: NewBatch): Entry<BatchRecord> {
  const { nowMs } = context;
  const record: BatchRecord = {
    ...batch,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    state: "PENDING",
    pollsLeft: context.resources.jobPolls,
    output: undefined,
  };
  const entry = kept(context, context.resources.batches, `batches/${newId(36)}`, record);
  if (record.pollsLeft === 0) finish(context, entry);
  return entry;
}

export function ownedBatch(context: RouteContext, name: string): Entry<BatchRecord> {
  return owned(context, context.resources.batches, name, mayNotAccess("Batch", name));
}

/** One poll: the job goes on by one step. */
export function pollBatch(context: RouteContext, entry: Entry<BatchRecord>): void {
  const { value } = entry;
  if (value.state !== "PENDING" && value.state !== "RUNNING") return;
  value.pollsLeft -= 1;
  value.updatedAtMs = context.nowMs;
  if (value.pollsLeft > 0) value.state = "RUNNING";
  else finish(context, entry);
}

/** Ends a job that is not done; a finished one stays as it is. */
export function cancelBatch(context: RouteContext, { value }: Entry<BatchRecord>): void {
  if (value.state !== "PENDING" && value.state !== "RUNNING") return;
  value.state = "CANCELLED";
  value.updatedAtMs = context.nowMs;
}

function finish(context: RouteContext, entry: Entry<BatchRecord>): void {
  const { name, value } = entry;
  const responses = value.requests.map((request) => answered(context, value, request));
  value.state = "SUCCEEDED";
  value.updatedAtMs = context.nowMs;
  value.output = {
    responses,
    file: value.inputFile === undefined ? undefined : outputFile(context, name, responses),
  };
}

function answered(context: RouteContext, batch: BatchRecord, request: JsonObject): JsonObject {
  try {
    return batchAnswer(context, batch, request);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { key, custom_id: customId, metadata } = request;
    return { key, custom_id: customId, metadata, error: error.answer.body.error };
  }
}

function outputFile(context: RouteContext, batchName: string, responses: readonly JsonObject[]): string {
  const lines = responses.map((response) => JSON.stringify(response)).join("\n");
  const entry = keepFile(context, {
    id: `batch-${batchName.slice("batches/".length)}`,
    displayName: `${batchName} output`,
    mimeType: "application/jsonl",
    source: "GENERATED",
    purpose: "batch_output",
    intake: intakeOf(context, Buffer.from(`${lines}\n`)),
  });
  return entry.name;
}

/** The lines of an input file as objects; refuses what is not JSONL. */
export function requestsInFile(context: RouteContext, name: string): readonly JsonObject[] {
  const { content } = usableFile(context, name).value;
  if (content === undefined) throw new Refusal(badRequest(`The bytes of ${name} were not kept.`));
  const lines = content
    .toString("utf8")
    .split("\n")
    .filter((line) => line.trim() !== "");
  if (lines.length > BATCH_REQUESTS_MAX) throw new Refusal(badRequest("Too many requests in the batch."));
  return lines.map(parsedLine);
}

function parsedLine(line: string, index: number): JsonObject {
  try {
    const value: unknown = JSON.parse(line);
    if (isObject(value)) return value;
  } catch {
    // Answered below like any other line that is not an object.
  }
  throw new Refusal(badRequest(`Line ${index + 1} of the input file is not a JSON object.`));
}
