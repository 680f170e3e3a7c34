/**
 * Names of resources that belong to one project: a key of another project gets 403 or 404 for them, which says
 * nothing about the key. Runs on the HTTP workers.
 */

/** Collections whose members only the project that made them can see (files, caches, jobs, sessions). */
const PROJECT_COLLECTIONS: ReadonlySet<string> = new Set([
  "files",
  "cachedContents",
  "batches",
  "fileSearchStores",
  "tunedModels",
  "corpora",
  "operations",
  "auth_tokens",
  "interactions",
  "agents",
  "environments",
  "credentials",
  "triggers",
  "voices",
  "webhooks",
  // Only below /openai.
  "videos",
]);

function withoutVerb(segment: string): string {
  const colonAt = segment.indexOf(":");
  return colonAt < 0 ? segment : segment.slice(0, colonAt);
}

/**
 * The resource a path is bound to, as `collection/id`: for what lies below it (documents of a store, a file's
 * content) the root, since that is what was created under one key.
 *
 * @param below decoded path below the version, such as `/files/abc:download` or `/openai/batches/batches/b1`
 *   (the openai client percent-encodes the slash of `batches/b1`).
 */
export function resourceOf(below: string): string | undefined {
  const segments = below.split("/");
  let at = segments[1] === "openai" ? 2 : 1;
  const collection = segments[at];
  if (collection === undefined) return undefined;
  if (collection === "models") return operationOfModel(segments.slice(at));
  if (!PROJECT_COLLECTIONS.has(collection)) return undefined;
  if (segments[at + 1] === collection) at += 1;
  const id = withoutVerb(segments[at + 1] ?? "");
  return id === "" ? undefined : `${collection}/${id}`;
}

/** `models/veo/operations/op1`: a model is public, its long-running operation is not. */
function operationOfModel(segments: readonly string[]): string | undefined {
  const [, model, kind, id] = segments;
  return kind === "operations" && id ? `models/${model}/operations/${withoutVerb(id)}` : undefined;
}
