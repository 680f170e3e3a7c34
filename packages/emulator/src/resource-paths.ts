/**
 * The paths of everything Google ties to one project, as one table: operation, method, path, method of the service.
 * Pure data. `{}` is one segment, `{*}` the rest of the path; a leading `/upload/` or `/download/` is the prefix that
 * Google puts before the version.
 */

type PathRow = readonly [operation: string, method: string, path: string, serviceMethod: string];

export const RESOURCE_PATHS = [
  ["files.upload", "POST", "/upload/files", "CreateFile"],
  ["files.create", "POST", "files", "CreateFile"],
  ["files.register", "POST", "files:register", "RegisterFiles"],
  ["files.list", "GET", "files", "ListFiles"],
  ["files.get", "GET", "files/{}", "GetFile"],
  ["files.delete", "DELETE", "files/{}", "DeleteFile"],
  ["files.download", "GET", "files/{}:download", "DownloadFile"],
  ["files.downloadDirect", "GET", "/download/files/{}:download", "DownloadFile"],
  ["caches.create", "POST", "cachedContents", "CreateCachedContent"],
  ["caches.list", "GET", "cachedContents", "ListCachedContents"],
  ["caches.get", "GET", "cachedContents/{}", "GetCachedContent"],
  ["caches.update", "PATCH", "cachedContents/{}", "UpdateCachedContent"],
  ["caches.delete", "DELETE", "cachedContents/{}", "DeleteCachedContent"],
  ["batches.createGenerate", "POST", "models/{}:batchGenerateContent", "BatchGenerateContent"],
  ["batches.createEmbed", "POST", "models/{}:asyncBatchEmbedContent", "AsyncBatchEmbedContent"],
  ["batches.list", "GET", "batches", "ListBatches"],
  ["batches.get", "GET", "batches/{}", "GetBatch"],
  ["batches.delete", "DELETE", "batches/{}", "DeleteBatch"],
  ["batches.cancel", "POST", "batches/{}:cancel", "CancelBatch"],
  ["videos.generate", "POST", "models/{}:predictLongRunning", "PredictLongRunning"],
  ["images.predict", "POST", "models/{}:predict", "Predict"],
  ["operations.get", "GET", "models/{}/operations/{}", "GetOperation"],
  ["stores.create", "POST", "fileSearchStores", "CreateFileSearchStore"],
  ["stores.list", "GET", "fileSearchStores", "ListFileSearchStores"],
  ["stores.get", "GET", "fileSearchStores/{}", "GetFileSearchStore"],
  ["stores.delete", "DELETE", "fileSearchStores/{}", "DeleteFileSearchStore"],
  ["stores.import", "POST", "fileSearchStores/{}:importFile", "ImportFile"],
  ["stores.upload", "POST", "/upload/fileSearchStores/{}:uploadToFileSearchStore", "UploadToFileSearchStore"],
  ["stores.operation", "GET", "fileSearchStores/{}/operations/{}", "GetOperation"],
  ["stores.uploadOperation", "GET", "fileSearchStores/{}/upload/operations/{}", "GetOperation"],
  ["documents.list", "GET", "fileSearchStores/{}/documents", "ListDocuments"],
  ["documents.get", "GET", "fileSearchStores/{}/documents/{}", "GetDocument"],
  ["documents.delete", "DELETE", "fileSearchStores/{}/documents/{}", "DeleteDocument"],
  ["stores.media", "GET", "fileSearchStores/{}/media/{}", "DownloadMedia"],
  ["tunedModels.create", "POST", "tunedModels", "CreateTunedModel"],
  ["tunedModels.list", "GET", "tunedModels", "ListTunedModels"],
  ["tunedModels.get", "GET", "tunedModels/{}", "GetTunedModel"],
  ["tunedModels.delete", "DELETE", "tunedModels/{}", "DeleteTunedModel"],
  ["tunedModels.operation", "GET", "tunedModels/{}/operations/{}", "GetOperation"],
  ["authTokens.create", "POST", "auth_tokens", "CreateAuthToken"],
  ["interactions.create", "POST", "interactions", "CreateInteraction"],
  ["interactions.get", "GET", "interactions/{}", "GetInteraction"],
  ["interactions.cancel", "POST", "interactions/{}/cancel", "CancelInteraction"],
  ["interactions.delete", "DELETE", "interactions/{}", "DeleteInteraction"],
  ["environments.download", "GET", "environments/{}/files/{*}", "GetEnvironmentFile"],
  ["environments.upload", "PUT", "/upload/environments/{}/files/{*}", "UploadEnvironmentFile"],
  ["triggers.execute", "POST", "triggers/{}/executions", "CreateTriggerExecution"],
  ["triggers.executions", "GET", "triggers/{}/executions", "ListTriggerExecutions"],
  ["webhooks.ping", "POST", "webhooks/{}:ping", "PingWebhook"],
  ["webhooks.rotate", "POST", "webhooks/{}:rotateSigningSecret", "RotateSigningSecret"],
  ["openai.files.create", "POST", "openai/files", "CreateFile"],
  ["openai.files.list", "GET", "openai/files", "ListFiles"],
  ["openai.files.content", "GET", "openai/files/{*}/content", "DownloadFile"],
  ["openai.files.get", "GET", "openai/files/{*}", "GetFile"],
  ["openai.files.delete", "DELETE", "openai/files/{*}", "DeleteFile"],
  ["openai.batches.create", "POST", "openai/batches", "CreateBatch"],
  ["openai.batches.list", "GET", "openai/batches", "ListBatches"],
  ["openai.batches.cancel", "POST", "openai/batches/{*}/cancel", "CancelBatch"],
  ["openai.batches.get", "GET", "openai/batches/{*}", "GetBatch"],
  ["openai.images", "POST", "openai/images/generations", "GenerateImages"],
] as const satisfies readonly PathRow[];

/** Collections of the 3.x surface that are plain create, list, get, patch, delete; a caller's id names each. */
const COLLECTIONS = ["agents", "environments", "credentials", "triggers", "voices", "webhooks"] as const;
type CollectionOperation = `collection.${"create" | "list" | "get" | "update" | "delete"}`;

export type ResourceOperation = (typeof RESOURCE_PATHS)[number][0] | CollectionOperation | "upload.leg";

export interface PathMatch {
  readonly operation: ResourceOperation;
  /** What stood in the places of the pattern, decoded. */
  readonly ids: readonly string[];
}

interface Pattern {
  readonly operation: ResourceOperation;
  readonly method: string;
  readonly expression: RegExp;
}

/** How an upload begins; what follows goes to the same path with an `upload_id`. */
const UPLOAD_STARTS: ReadonlySet<string> = new Set(["files.upload", "stores.upload", "environments.upload"]);

const PATTERNS: readonly Pattern[] = RESOURCE_PATHS.map(([operation, method, path]) => ({
  operation,
  method,
  expression: expressionOf(path),
}));

function expressionOf(path: string): RegExp {
  const source = path.replaceAll("{}", "([^/:]+)").replaceAll("{*}", "(.+)");
  return new RegExp(`^${source}$`);
}

const COLLECTION_PATH = new RegExp(`^(${COLLECTIONS.join("|")})(?:/([^/:]+))?$`);

/** The operation on a project's resources that a path below the version names; undefined for every other path. */
export function resourcePathOf(method: string, name: string, uploadId: string | null): PathMatch | undefined {
  if (uploadId !== null && isUploadPath(name)) return { operation: "upload.leg", ids: [uploadId] };
  for (const { operation, method: wanted, expression } of PATTERNS) {
    const found = wanted === method ? expression.exec(name) : null;
    if (found !== null) return { operation, ids: found.slice(1) };
  }
  return collectionOf(method, name);
}

function isUploadPath(name: string): boolean {
  return PATTERNS.some(({ operation, expression }) => UPLOAD_STARTS.has(operation) && expression.test(name));
}

function collectionOf(method: string, name: string): PathMatch | undefined {
  const [, collection, id] = COLLECTION_PATH.exec(name) ?? [];
  if (collection === undefined) return undefined;
  if (id === undefined) {
    if (method === "POST") return { operation: "collection.create", ids: [collection] };
    return method === "GET" ? { operation: "collection.list", ids: [collection] } : undefined;
  }
  const byMethod = {
    GET: "collection.get",
    PATCH: "collection.update",
    DELETE: "collection.delete",
  } as const;
  const operation = method in byMethod ? byMethod[method as keyof typeof byMethod] : undefined;
  // Voices are not edited.
  if (operation === undefined || (operation === "collection.update" && collection === "voices"))
    return undefined;
  return { operation, ids: [collection, id] };
}

const SERVICE_METHOD_BY_OPERATION: ReadonlyMap<string, string> = new Map(
  RESOURCE_PATHS.map(([operation, , , serviceMethod]) => [operation, serviceMethod]),
);

/** The method of Google's service behind an operation, as errors name it. */
export function serviceMethodOf(operation: ResourceOperation): string {
  return SERVICE_METHOD_BY_OPERATION.get(operation) ?? "Manage";
}

/** The operations whose errors and answers are in the dialect of the Interactions API. */
export function isInteractions(operation: string): boolean {
  return /^(?:interactions|collection|environments|triggers|webhooks)\./.test(operation);
}
