/**
 * The grammar of the API's paths below the version: which operation a method and a path are.
 * Runs on the HTTP workers, once per request. Knows no query, no headers and no bodies.
 */

export type Surface = "native" | "openai" | "interactions";
/** How the answer comes back; "by-body" when `stream: true` in the request's body decides. */
export type AnswerForm = "unary" | "sse" | "json-array" | "by-body";

/** What the path says of a request. */
export interface PathMeaning {
  readonly surface: Surface;
  readonly operation: string;
  readonly model: string | undefined;
  readonly modelInBody: boolean;
  readonly answer: AnswerForm;
}

/** Operations whose answer must hold something generated. Interactions may run in the background: not among them. */
export const GENERATING_OPERATIONS: ReadonlySet<string> = new Set([
  "generateContent",
  "streamGenerateContent",
  "chat.completions",
]);

/** Verbs of a model that Google is known to have; others still pass, as "other". */
const MODEL_VERBS: ReadonlySet<string> = new Set([
  "generateContent",
  "streamGenerateContent",
  "countTokens",
  "embedContent",
  "batchEmbedContents",
  "batchGenerateContent",
  "asyncBatchEmbedContent",
  "predict",
  "predictLongRunning",
  "countTextTokens",
  "embedText",
  "batchEmbedText",
  "generateText",
  "generateAnswer",
]);

/** Compatible methods whose model is in the body, by their path below `/openai`. */
const OPENAI_OPERATIONS: ReadonlyMap<string, string> = new Map([
  ["/chat/completions", "chat.completions"],
  ["/embeddings", "embeddings"],
  ["/images/generations", "images.generations"],
]);

/** Google's native spellings of the same methods, straight after the version. */
const OPENAI_VERBS: ReadonlyMap<string, string> = new Map([
  [":chatCompletions", "chat.completions"],
  [":embeddings", "embeddings"],
  [":generateImages", "images.generations"],
]);

/** Collections of the newer API family, whose errors have the dialect of Interactions. */
const INTERACTIONS_FAMILY =
  /^\/(interactions|agents|environments|credentials|triggers|voices|webhooks)(?=[/:]|$)/;

function unary(surface: Surface, operation: string, model?: string): PathMeaning {
  return { surface, operation, model, modelInBody: false, answer: "unary" };
}

function withoutModels(name: string): string {
  return name.startsWith("models/") ? name.slice("models/".length) : name;
}

function bodyOperation(operation: string): PathMeaning {
  const answer = operation === "chat.completions" ? "by-body" : "unary";
  return { surface: "openai", operation, model: undefined, modelInBody: true, answer };
}

function openaiMeaning(method: string, below: string): PathMeaning {
  const operation = method === "POST" ? OPENAI_OPERATIONS.get(below) : undefined;
  if (operation !== undefined) return bodyOperation(operation);
  if (method === "GET" && below === "/models") return unary("openai", "openai.models.list");
  if (method === "GET" && below.startsWith("/models/")) {
    // Clients may have the id from the list, where it keeps its prefix: `/models/models/gemini-x`.
    return unary("openai", "openai.models.get", withoutModels(below.slice("/models/".length)) || undefined);
  }
  return unary("openai", "other");
}

function interactionsMeaning(method: string, below: string): PathMeaning {
  const [, collection, id, rest] = below.split("/");
  if (collection !== "interactions") return unary("interactions", "other");
  if (id === undefined) {
    if (method !== "POST") return unary("interactions", "other");
    const operation = "interactions.create";
    return { surface: "interactions", operation, model: undefined, modelInBody: true, answer: "by-body" };
  }
  if (rest === "cancel" && method === "POST") return unary("interactions", "interactions.cancel");
  if (rest === undefined && method === "GET") return unary("interactions", "interactions.get");
  if (rest === undefined && method === "DELETE") return unary("interactions", "interactions.delete");
  return unary("interactions", "other");
}

/** `/models/x:verb`, also for models elsewhere (`/tunedModels/x:verb`, or any path a client's model name holds). */
function modelVerbMeaning(method: string, below: string): PathMeaning | undefined {
  const colonAt = below.lastIndexOf(":");
  if (colonAt < 0) return undefined;
  const verb = below.slice(colonAt + 1);
  const isModelPath = below.startsWith("/models/") || below.startsWith("/tunedModels/");
  const known = MODEL_VERBS.has(verb);
  if (!known && !isModelPath) return undefined;
  const model = withoutModels(below.slice(1, colonAt)) || undefined;
  if (!known || method !== "POST") return unary("native", "other", model);
  const answer = verb === "streamGenerateContent" ? "json-array" : "unary";
  return { surface: "native", operation: verb, model, modelInBody: false, answer };
}

function nativeMeaning(method: string, below: string): PathMeaning {
  if (below === "/models") return unary("native", method === "GET" ? "models.list" : "other");
  if (below.startsWith("/models/") && method === "GET") {
    const name = below.slice("/models/".length);
    // Deeper paths are operations of a model, bound to a project.
    return name === "" || name.includes("/") ? unary("native", "other") : unary("native", "models.get", name);
  }
  return unary("native", "other");
}

/**
 * @param below decoded path below the version, starting with `/` or `:`.
 * @returns operation "other" for what is not known. Never throws.
 */
export function meaningOf(method: string, below: string): PathMeaning {
  if (below.startsWith("/openai/")) return openaiMeaning(method, below.slice("/openai".length));
  const verb = method === "POST" ? OPENAI_VERBS.get(below) : undefined;
  if (verb !== undefined) return bodyOperation(verb);
  if (INTERACTIONS_FAMILY.test(below)) return interactionsMeaning(method, below);
  return modelVerbMeaning(method, below) ?? nativeMeaning(method, below);
}
