/** Which operation a method and a path name. Pure. Paths are normalised as Google does: doubled slashes count once. */

export type Operation =
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
  /** From the path, without `models/`; empty when the path names none. */
  readonly model: string;
}

/** The method of Google's service behind each operation, as errors name it. */
export const SERVICE_METHODS: Readonly<Record<Operation, string>> = {
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

const MODEL_METHODS: ReadonlySet<string> = new Set([
  "generateContent",
  "streamGenerateContent",
  "countTokens",
  "embedContent",
  "batchEmbedContents",
]);

const GENERATING: ReadonlySet<Operation> = new Set<Operation>([
  "generateContent",
  "streamGenerateContent",
  "embedContent",
  "batchEmbedContents",
  "openai.chatCompletions",
  "openai.embeddings",
]);

/** True for calls that cost quota and money. */
export function isGeneration(operation: Operation): boolean {
  return GENERATING.has(operation);
}

export function isOpenAi(operation: Operation): boolean {
  return operation.startsWith("openai.");
}

/** The operation, or undefined for a path that no service knows. `path` is without the query. */
export function routeOf(method: string, path: string): Route | undefined {
  const [, version, rest] = /^\/+(v1|v1beta|v1alpha)\/+(.+?)\/*$/.exec(path) ?? [];
  if (version === undefined || rest === undefined) return undefined;
  const name = decoded(rest.replace(/\/{2,}/g, "/"));
  if (name === undefined) return undefined;
  return name.startsWith("openai/") ? openAiRoute(method, version, name) : nativeRoute(method, version, name);
}

function nativeRoute(method: string, version: string, name: string): Route | undefined {
  if (method === "GET") {
    if (name === "models") return { operation: "models.list", version, model: "" };
    const model = /^models\/([^/:]+)$/.exec(name)?.[1];
    return model === undefined ? undefined : { operation: "models.get", version, model };
  }
  const [, model, operation] = /^(?:models|tunedModels)\/([^:]+):(\w+)$/.exec(name) ?? [];
  if (method !== "POST" || model === undefined || operation === undefined) return undefined;
  return MODEL_METHODS.has(operation) ? { operation: operation as Operation, version, model } : undefined;
}

const OPENAI_POSTS: Readonly<Record<string, Operation>> = {
  "openai/chat/completions": "openai.chatCompletions",
  "openai/embeddings": "openai.embeddings",
  "openai/responses": "openai.responses",
};

function openAiRoute(method: string, version: string, name: string): Route | undefined {
  if (version !== "v1beta") return undefined;
  if (method === "POST") {
    const operation = Object.hasOwn(OPENAI_POSTS, name) ? OPENAI_POSTS[name] : undefined;
    return operation === undefined ? undefined : { operation, version, model: "" };
  }
  if (method !== "GET") return undefined;
  if (name === "openai/models") return { operation: "openai.models.list", version, model: "" };
  const model = /^openai\/models\/(?:models\/)?([^/]+)$/.exec(name)?.[1];
  return model === undefined ? undefined : { operation: "openai.models.get", version, model };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
