/**
 * The resources a body names: file URIs, caches, stores, interactions, environments, tokens and signatures. Each is
 * looked up for the caller's project; what it may not see refuses the request. Pure but for the log of touches.
 */
import { badRequest, Refusal } from "../error-bodies.ts";
import { asArray, asText, fieldOf, isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { isInteractions } from "../resource-paths.ts";
import { cacheForbidden, mayNotAccess, notFound, unsupportedFileUri } from "../resource-errors.ts";
import { unsealed } from "../resources/sealed-text.ts";
import { owned } from "./access.ts";
import type { RouteContext } from "./context.ts";
import { usableFile } from "./files.ts";

/** Objects and lists of one body that are looked at; deeper or wider ones are answered as they are. */
export const REFERENCE_NODES_MAX = 100_000;
const DEPTH_MAX = 64;
/** What the caller's own functions and schemas say is never a reference. */
const OPAQUE_FIELDS: ReadonlySet<string> = new Set([
  "args",
  "arguments",
  "response",
  "result",
  "parameters",
  "parametersJsonSchema",
  "responseSchema",
  "response_format",
]);

/** Refuses the request when it names something its project may not see or use. */
export function checkReferences(context: RouteContext, body: JsonObject = context.body): void {
  let nodes = 0;
  const visit = (value: unknown, depth: number): void => {
    nodes += 1;
    if (nodes > REFERENCE_NODES_MAX || depth > DEPTH_MAX) return;
    if (Array.isArray(value)) for (const item of value) visit(item, depth + 1);
    if (!isObject(value)) return;
    for (const [name, field] of Object.entries(value)) {
      if (OPAQUE_FIELDS.has(name)) continue;
      checkField(context, name, field);
      if (typeof field === "object") visit(field, depth + 1);
    }
  };
  visit(body, 0);
}

function checkField(context: RouteContext, name: string, field: unknown): void {
  if (name === "fileSearchStoreNames" || name === "file_search_store_names") {
    for (const store of asArray(field)) checkStore(context, String(store));
    return;
  }
  if (typeof field === "string" && field !== "") checkText(context, name, field);
}

function checkText(context: RouteContext, name: string, text: string): void {
  switch (name) {
    case "fileUri":
    case "file_uri":
      return checkFileUri(context, text);
    case "uri":
      return isInteractions(context.route.operation) ? checkFileUri(context, text) : undefined;
    case "file_id":
      return text.startsWith("files/") ? void usableFile(context, text) : undefined;
    case "cachedContent":
    case "cached_content":
      return void owned(context, context.resources.caches, text, cacheForbidden());
    case "previous_interaction_id":
      return void owned(context, context.resources.interactions, `interactions/${text}`, notFound());
    case "environment":
    case "environment_id":
      return checkEnvironment(context, text);
    case "signature":
      return isInteractions(context.route.operation) ? checkSignature(context, text) : undefined;
    case "thoughtSignature":
    case "thought_signature":
      return checkSignature(context, text);
    case "continuationToken":
    case "continuation_token":
      return checkContinuation(context, text);
    default:
  }
}

function checkFileUri(context: RouteContext, uri: string): void {
  const found = context.links.fileNameIn(uri);
  if (found === "foreign") throw new Refusal(unsupportedFileUri(uri));
  // What is no file of the Files API is fetched by Google itself, or is a video site's.
  if (found !== "not-a-file") usableFile(context, found.name);
}

function checkStore(context: RouteContext, name: string): void {
  owned(context, context.resources.stores, name, mayNotAccess("File Search Store", name));
}

/** `remote` and the like are Google's own kinds of environment, not somebody's. */
function checkEnvironment(context: RouteContext, id: string): void {
  const name = id.startsWith("environments/") ? id : `environments/${id}`;
  const isOwnKind = !/^(?:environments\/)?env/.test(id);
  const isKnown = context.resources.collections.find(name, context.nowMs) !== undefined;
  if (isKnown || !isOwnKind) owned(context, context.resources.collections, name, notFound());
}

/** Nobody knows whether a signature of another project is served: it is marked in the log, and refused on demand. */
function checkSignature({ touches, project, resources }: RouteContext, signature: string): void {
  const found = unsealed("thoughtSignature", signature);
  if (found === undefined) return;
  const isOwn = found.owner === project.name;
  const isRefused = !isOwn && resources.refusesForeignSignatures;
  touches.add("thoughtSignature", found.owner, isOwn ? "used" : isRefused ? "refused" : "foreign");
  if (isRefused) throw new Refusal(badRequest("Thought signature is not valid"));
}

function checkContinuation(context: RouteContext, token: string): void {
  const found = unsealed("continuationToken", token);
  const isOwn = found?.owner === context.project.name;
  context.touches.add("continuationToken", found?.owner ?? "", isOwn ? "used" : "refused");
  if (!isOwn) throw new Refusal(badRequest("Invalid continuation token."));
}

/** The name in `cachedContent`, when the body has one. */
export function cachedContentOf(body: JsonObject): string | undefined {
  return asText(fieldOf(body, "cachedContent")) || undefined;
}
