/** Which operation a method and a path name. Pure. Paths are normalised as Google does: doubled slashes count once. */
import { resourcePathOf, serviceMethodOf } from "./resource-paths.ts";
import type { ResourceOperation } from "./resource-paths.ts";

export type Operation = ModelOperation | ResourceOperation;

type ModelOperation =
  | "generateContent"
  | "streamGenerateContent"
  | "countTokens"
  | "embedContent"
  | "batchEmbedContents"
  | "models.list"
  | "models.get"
  | "openai.chatCompletions"
  | "openai.embeddings"
  | "openai.models.list"
  | "openai.models.get"
  | "openai.responses";

export interface Route {
  readonly operation: Operation;
  /** `v1`, `v1beta` or `v1alpha`. */
  readonly version: string;
  /** From the path, without `models/` (`tunedModels/x` keeps its prefix); empty when the path names none. */
  readonly model: string;
  /** Resource ids in the path, decoded, in their order. */
  readonly ids: readonly string[];
}

const MODEL_SERVICE_METHODS: Readonly<Record<ModelOperation, string>> = {
  generateContent: "GenerateContent",
  streamGenerateContent: "StreamGenerateContent",
  countTokens: "CountTokens",
  embedContent: "EmbedContent",
  batchEmbedContents: "BatchEmbedContents",
  "models.list": "ListModels",
  "models.get": "GetModel",
  "openai.chatCompletions": "GenerateContent",
  "openai.embeddings": "EmbedContent",
  "openai.models.list": "ListModels",
  "openai.models.get": "GetModel",
  "openai.responses": "GenerateContent",
};

/** The method of Google's service behind an operation, as errors name it. */
export function serviceMethod(operation: Operation): string {
  return isModelOperation(operation) ? MODEL_SERVICE_METHODS[operation] : serviceMethodOf(operation);
}

function isModelOperation(operation: Operation): operation is ModelOperation {
  return Object.hasOwn(MODEL_SERVICE_METHODS, operation);
}

const MODEL_METHODS: ReadonlySet<string> = new Set([
  "generateContent",
  "streamGenerateContent",
  "countTokens",
  "embedContent",
  "batchEmbedContents",
]);

const NO_IDS: readonly string[] = [];

const GENERATING: ReadonlySet<Operation> = new Set<Operation>([
  "generateContent",
  "streamGenerateContent",
  "embedContent",
  "batchEmbedContents",
  "openai.chatCompletions",
  "openai.embeddings",
  "openai.images",
  "images.predict",
  "videos.generate",
  "batches.createGenerate",
  "batches.createEmbed",
  "openai.batches.create",
  "interactions.create",
]);

/** True for calls that cost quota and money. */
export function isGeneration(operation: Operation): boolean {
  return GENERATING.has(operation);
}

export function isOpenAi(operation: Operation): boolean {
  return operation.startsWith("openai.");
}

/** Google puts `upload` and `download` before the version. */
const VERSIONED = /^\/+(?:(upload|download)\/+)?(v1|v1beta|v1alpha)\/+(.+?)\/*$/;

/** The documented native name of the compatible route. */
const CHAT_ALIAS = /^\/+v1beta:chatCompletions$/;

/** The operation, or undefined for a path that no service knows. `path` is without the query. */
export function routeOf(method: string, path: string, query?: URLSearchParams): Route | undefined {
  if (method === "POST" && CHAT_ALIAS.test(path)) {
    return { operation: "openai.chatCompletions", version: "v1beta", model: "", ids: NO_IDS };
  }
  const [, prefix, version, rest] = VERSIONED.exec(path) ?? [];
  if (version === undefined || rest === undefined) return undefined;
  const below = decoded(rest.replace(/\/{2,}/g, "/"));
  if (below === undefined) return undefined;
  const name = prefix === undefined ? below : `/${prefix}/${below}`;
  const isForeignOpenAi = name.startsWith("openai/") && version !== "v1beta";
  if (isForeignOpenAi) return undefined;
  const resource = resourcePathOf(method, name, query?.get("upload_id") ?? null);
  if (resource !== undefined) return { ...resource, version, model: modelOfPath(name) };
  return name.startsWith("openai/") ? openAiRoute(method, version, name) : nativeRoute(method, version, name);
}

function modelOfPath(name: string): string {
  return /^models\/([^/:]+)/.exec(name)?.[1] ?? "";
}

function nativeRoute(method: string, version: string, name: string): Route | undefined {
  if (method === "GET") {
    if (name === "models") return { operation: "models.list", version, model: "", ids: NO_IDS };
    const model = /^models\/([^/:]+)$/.exec(name)?.[1];
    return model === undefined ? undefined : { operation: "models.get", version, model, ids: NO_IDS };
  }
  const [, kind, id, operation] = /^(models|tunedModels)\/([^:]+):(\w+)$/.exec(name) ?? [];
  if (method !== "POST" || id === undefined || operation === undefined) return undefined;
  const model = kind === "tunedModels" ? `tunedModels/${id}` : id;
  return MODEL_METHODS.has(operation)
    ? { operation: operation as Operation, version, model, ids: NO_IDS }
    : undefined;
}

const OPENAI_POSTS: Readonly<Record<string, Operation>> = {
  "openai/chat/completions": "openai.chatCompletions",
  "openai/embeddings": "openai.embeddings",
  "openai/responses": "openai.responses",
};

function openAiRoute(method: string, version: string, name: string): Route | undefined {
  if (method === "POST") {
    const operation = Object.hasOwn(OPENAI_POSTS, name) ? OPENAI_POSTS[name] : undefined;
    return operation === undefined ? undefined : { operation, version, model: "", ids: NO_IDS };
  }
  if (method !== "GET") return undefined;
  if (name === "openai/models") return { operation: "openai.models.list", version, model: "", ids: NO_IDS };
  const model = /^openai\/models\/(?:models\/)?([^/]+)$/.exec(name)?.[1];
  return model === undefined ? undefined : { operation: "openai.models.get", version, model, ids: NO_IDS };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
