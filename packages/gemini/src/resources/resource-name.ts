/**
 * The closed grammar of things that belong to one Google project: a key of another project gets 403 or 404 for them.
 * One canonical spelling a thing, so that what an answer told of is found again in a path, a query or a body.
 * Pure; runs wherever names are compared. Must never take a name for one it does not know: what is not of this
 * grammar is sent to any project.
 *
 * Sources: paths and request builders of @google/genai 3.1.0, 2.32 and 1.52, and Google's reference for the rest.
 */

/** What a thing is; for something below another (a store's document) what the root is. */
export type ResourceKind =
  | "file"
  | "cache"
  | "batch"
  | "operation"
  | "store"
  | "tuned-model"
  | "corpus"
  | "interaction"
  | "agent"
  | "environment"
  | "credential"
  | "trigger"
  | "voice"
  | "webhook"
  | "video"
  | "auth-token"
  | "live-handle"
  | "continuation"
  | "upload";

export interface Resource {
  /** Canonical, such as `fileSearchStores/s/documents/d`. Holds no secret: see opaque-name.ts. */
  readonly name: string;
  /** Name of what was created under one key and decides the ownership: `fileSearchStores/s`. */
  readonly root: string;
  readonly kind: ResourceKind;
}

/** Longest name kept, characters: Google's have up to some 120, files inside environments are paths. */
export const NAME_LENGTH_MAX = 1024;
/** Longest id in a root, characters: names become keys of maps and rows. Interaction ids are the longest. */
const ID_LENGTH_MAX = 512;

/** Collections whose members only the project that made them can see. */
const KIND_BY_COLLECTION: ReadonlyMap<string, ResourceKind> = new Map([
  ["files", "file"],
  ["generatedFiles", "file"],
  ["cachedContents", "cache"],
  ["batches", "batch"],
  ["fileSearchStores", "store"],
  ["tunedModels", "tuned-model"],
  ["corpora", "corpus"],
  ["operations", "operation"],
  ["interactions", "interaction"],
  ["agents", "agent"],
  ["environments", "environment"],
  ["credentials", "credential"],
  ["triggers", "trigger"],
  ["voices", "voice"],
  ["webhooks", "webhook"],
  // Only below /openai.
  ["videos", "video"],
]);

/** Google names the download of an environment's snapshot as a file: `files/environment-{id}`. */
const SNAPSHOT = "files/environment-";

export function isCollection(segment: string): boolean {
  return KIND_BY_COLLECTION.has(segment);
}

function isId(segment: string | undefined): segment is string {
  if (segment === undefined || segment === "" || segment.length > ID_LENGTH_MAX) return false;
  for (let index = 0; index < segment.length; index += 1) {
    const code = segment.charCodeAt(index);
    // Spaces, controls and what could only be a slip of a URL: no id of Google's holds them.
    if (code <= 0x20 || code === 0x7f || code === 0x22 || code === 0x23 || code === 0x3f || code === 0x5c)
      return false;
  }
  return true;
}

/** A model is public, its long-running operation is not: `models/veo/operations/op1`. */
function operationOfModel(name: string, [, model, below, id]: readonly string[]): Resource | undefined {
  if (below !== "operations" || !isId(model) || !isId(id)) return undefined;
  return bounded(name, `models/${model}/operations/${id}`, "operation");
}

function bounded(name: string, root: string, kind: ResourceKind): Resource {
  return { name: name.length > NAME_LENGTH_MAX ? `${root}/…` : name, root, kind };
}

/**
 * @param name `collection/id`, or something below it, without a verb, as `resourceOfPath` and answers give it.
 * @returns undefined for what is no name of something bound to a project (`models/x`, an id without collection).
 */
export function parseResourceName(name: string): Resource | undefined {
  const slashAt = name.indexOf("/");
  if (slashAt < 0) return undefined;
  const collection = name.slice(0, slashAt);
  if (collection === "models")
    return name.includes("/operations/") ? operationOfModel(name, name.split("/")) : undefined;
  const kind = KIND_BY_COLLECTION.get(collection);
  if (kind === undefined) return undefined;
  const idEnd = name.indexOf("/", slashAt + 1);
  const id = idEnd < 0 ? name.slice(slashAt + 1) : name.slice(slashAt + 1, idEnd);
  if (!isId(id)) return undefined;
  if (name.startsWith(SNAPSHOT) && name.length > SNAPSHOT.length)
    return bounded(name, `environments/${id.slice("environment-".length)}`, "environment");
  return bounded(name, idEnd < 0 ? name : name.slice(0, idEnd), kind);
}

/**
 * A member of a collection by the id a field or a path holds: bare (`abc`, `file-1`, `batch_1`), with its collection
 * (`files/abc`), or the name of something else altogether (`models/veo/operations/op1` as the id of a video).
 */
export function resourceIn(collection: string, id: string): Resource | undefined {
  return (
    parseResourceName(id) ??
    (isId(id) && !id.includes("/") ? parseResourceName(`${collection}/${id}`) : undefined)
  );
}

/**
 * Whether every project may know the thing: agents and voices that Google offers to all have ids like those a project
 * made itself. An unknown owner then means nothing.
 */
export function mayBePublic({ kind, root }: Resource): boolean {
  return kind === "agent" || (kind === "voice" && !root.startsWith("voices/voice_"));
}
