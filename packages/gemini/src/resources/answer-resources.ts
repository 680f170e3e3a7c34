/**
 * Reads from answers which resources exist in the project whose key was used, and until when. Runs on the HTTP workers,
 * for the routes that answer-route.ts names. Reads by shape: text that a model wrote is never searched for names.
 *
 * Sources: typings and converters of @google/genai 3.1.0, recordings of uploads, caches and batches.
 */
import { type Fields, fieldsIn, fieldsOf, isFields, textOf } from "../json-fields.ts";
import { type Told, toldOf } from "./answer-told.ts";
import { readAddress } from "./file-address.ts";
import { authToken, opaqueResource } from "./opaque-name.ts";
import { resourceOfPath } from "./path-resource.ts";
import { isCollection, parseResourceName, type Resource, resourceIn } from "./resource-name.ts";

/** Longest answer that is read, bytes: longer ones are results of batches, whose names are known by then. */
export const ANSWER_BYTES_MAX = 4_194_304;
/** Most resources of one answer: a full page of a list. */
const TOLD_MAX = 1000;

/** Fields that hold the id of something else, with its collection: OpenAI's batches, executions of triggers. */
const OTHER_IDS = [
  ["output_file_id", "files"],
  ["error_file_id", "files"],
  ["environment_id", "environments"],
  ["interaction_id", "interactions"],
  ["previous_interaction_id", "interactions"],
] as const;
/** Arrays of lists that are not named after their collection. */
const LIST_KEYS: ReadonlySet<string> = new Set(["data", "trigger_executions"]);

class Telling {
  readonly told = new Map<string, Told>();
  readonly #nowMs: number;

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  add(resource: Resource | undefined, statedTime?: unknown): void {
    if (resource === undefined || this.told.size >= TOLD_MAX || this.told.has(resource.root)) return;
    this.told.set(resource.root, toldOf(resource, this.#nowMs, statedTime));
  }

  addUri(uri: unknown): void {
    const resource = readAddress(textOf(uri), [])?.resource;
    if (resource?.kind === "file" || resource?.kind === "environment") this.add(resource);
  }
}

/** The collection a route answers for, when its things have bare ids: `/agents`, `/openai/files/f1`. */
function collectionOf(below: string): string | undefined {
  const resource = resourceOfPath(below);
  // What is listed below a root (executions of a trigger) has ids of its own.
  if (resource !== undefined && resource.name !== resource.root) return undefined;
  const segments = below.split("/");
  const collection = segments[1] === "openai" ? segments[2] : segments[1];
  return collection !== undefined && isCollection(collection) ? collection : undefined;
}

function statedEnd(thing: Fields): unknown {
  return thing["expirationTime"] ?? thing["expireTime"] ?? thing["expire_time"];
}

/** A file, cache, store, tuned model, token, agent, OpenAI's file or batch. */
function readThing(thing: Fields, collection: string | undefined, telling: Telling): void {
  const name = textOf(thing["name"]);
  const id = textOf(thing["id"]);
  const named = parseResourceName(name) ?? authToken(name);
  if (named !== undefined) telling.add(named, statedEnd(thing));
  else if (id !== "" && collection !== undefined) telling.add(resourceIn(collection, id), statedEnd(thing));
  telling.addUri(thing["downloadUri"]);
  for (const [key, holder] of OTHER_IDS) {
    const otherId = textOf(thing[key]);
    if (otherId !== "") telling.add(resourceIn(holder, otherId));
  }
}

/** The outcome of a job, wherever it stands: a file of results, videos, the document or model that was made. */
function readOutcome(outcome: Fields, telling: Telling): void {
  for (const key of ["responsesFile", "fileName", "documentName", "tunedModel", "name", "parent"])
    telling.add(parseResourceName(textOf(outcome[key])));
  const videos = fieldsOf(outcome["generateVideoResponse"]);
  for (const holder of [outcome, videos])
    for (const key of ["generatedSamples", "generatedVideos"])
      for (const sample of fieldsIn(holder[key])) telling.addUri(fieldsOf(sample["video"])["uri"]);
}

function readOperation(operation: Fields, telling: Telling): void {
  const metadata = fieldsOf(operation["metadata"]);
  for (const outcome of [
    metadata,
    fieldsOf(metadata["output"]),
    fieldsOf(metadata["dest"]),
    fieldsOf(operation["response"]),
    fieldsOf(operation["dest"]),
  ])
    readOutcome(outcome, telling);
}

function parse(text: string): Fields {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return {};
  }
}

function readAnswer(answer: Fields, collection: string | undefined, telling: Telling): void {
  readThing(answer, collection, telling);
  readOperation(answer, telling);
  // The end of an upload wraps the file; a list has one array of things under the name of its collection.
  if (isFields(answer["file"])) readThing(answer["file"], collection, telling);
  for (const [key, value] of Object.entries(answer)) {
    if (!isCollection(key) && !LIST_KEYS.has(key)) continue;
    for (const thing of fieldsIn(value)) {
      readThing(thing, collection, telling);
      readOperation(thing, telling);
    }
  }
}

/**
 * What a successful JSON answer tells of, each root once.
 * @param below decoded path below the version.
 * @param body whole; one longer than {@link ANSWER_BYTES_MAX} tells nothing, nor does one that is no JSON. Never throws.
 */
export function resourcesInAnswer(below: string, body: Buffer, nowMs: number): readonly Told[] {
  if (body.length === 0 || body.length > ANSWER_BYTES_MAX) return [];
  const telling = new Telling(nowMs);
  readAnswer(parse(body.toString("utf8")), collectionOf(below), telling);
  return [...telling.told.values()];
}

/** What a successful DELETE tells; undefined when it was of something below a root, which lives on. */
export function deletionTold(below: string): Told | undefined {
  const resource = resourceOfPath(below);
  if (resource === undefined || resource.name !== resource.root) return undefined;
  return { resource, state: "gone", expiresAtMs: undefined };
}

/** Names in which the answer to an upload's first leg gives the address of the next. */
const UPLOAD_HEADERS: ReadonlySet<string> = new Set([
  "x-goog-upload-url",
  "x-goog-upload-control-url",
  "location",
]);

export function isUploadHeader(name: string): boolean {
  return UPLOAD_HEADERS.has(name.toLowerCase());
}

/** The upload that an upload URL stands for, or the value of `x-guploader-uploadid`. */
export function uploadOf(uploadUrl: string): Resource | undefined {
  const queryAt = uploadUrl.indexOf("?");
  if (queryAt < 0) return opaqueResource("upload", uploadUrl);
  const id = new URLSearchParams(uploadUrl.slice(queryAt + 1)).get("upload_id");
  return id === null ? undefined : opaqueResource("upload", id);
}
