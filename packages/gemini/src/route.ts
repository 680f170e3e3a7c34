/**
 * Which of Google's operations a request is: what the rest of the gateway knows of a request line.
 * Runs on the HTTP workers, once per request. Must never refuse an unknown path below a known version: Google adds
 * methods faster than gateways are updated, so those pass through as operation "other".
 */
import { type AnswerForm, GENERATING_OPERATIONS, meaningOf, type Surface } from "./path-grammar.ts";
import { decodeLeniently, queryParameters } from "./query-string.ts";
import { readTarget } from "./request-target.ts";
import { type AnswerTelling, answerTelling } from "./resources/answer-route.ts";
import { resourceOfPath } from "./resources/path-resource.ts";

export type ApiVersion = "v1" | "v1beta" | "v1alpha";

export interface Route {
  readonly version: ApiVersion;
  readonly surface: Surface;
  /** One of a closed set of names, so that it can label metrics; "other" for what is not known. */
  readonly operation: string;
  /** Bare, decoded model name without `models/` (`tunedModels/x` keeps its prefix), when the path names one. */
  readonly model: string | undefined;
  /** True when the model's name is in the JSON body instead; see {@link modelInBody}. */
  readonly modelInBody: boolean;
  readonly answer: AnswerForm;
  /** True when an answer with nothing generated in it is a fault. */
  readonly generates: boolean;
  /** Decoded path below the version, what the functions of `resources/` are asked with. */
  readonly below: string;
  /** Whether the path was below `/upload/`. */
  readonly isUpload: boolean;
  /** Name of the project-bound resource whose owner has to serve the path, such as `files/abc`. */
  readonly resource: string | undefined;
  /** What a good answer tells of resources. */
  readonly tells: AnswerTelling;
  /** Path and query to send upstream: without prefix, aliases and credentials. */
  readonly upstreamPath: string;
}

export interface RouteOptions {
  /** Where the gateway is mounted, such as `/gw`; a slash at its end does not matter. */
  readonly pathPrefix?: string;
}

/** Longest model name accepted; Google's are under 60, and names become map keys in the scheduler. */
export const MODEL_NAME_LENGTH_MAX = 200;

const VERSIONED_PATH = /^\/(?:(?:up|down)load\/)?(v1beta|v1alpha|v1)(?=[/:])/;
/** Base URLs OpenAI clients are given; Google serves these paths below /v1beta/openai alone. */
const OPENAI_ALIAS = /^\/(?:(?:v1beta|v1alpha|v1)\/)?openai(?:\/v1(?:beta)?)?(?=\/)/;
const OPENAI_BARE_ALIAS =
  /^\/(?:v1beta|v1alpha|v1)(?=\/(?:chat\/completions|embeddings|images\/generations)$)/;

function withoutAlias(path: string): string {
  const alias = OPENAI_ALIAS.exec(path) ?? OPENAI_BARE_ALIAS.exec(path);
  return alias === null ? path : `/v1beta/openai${path.slice(alias[0].length)}`;
}

/** What the query says of the answer. `whole`: JSON as the API documents it, nothing masked out or wrapped. */
interface AnswerWish {
  readonly sse: boolean;
  readonly whole: boolean;
}

function answerWish(query: string): AnswerWish {
  let sse = false;
  let whole = true;
  for (const { name, value } of query === "" ? [] : queryParameters(query)) {
    const parameter = decodeLeniently(name).replace(/^\$/, "");
    // `stream=true` is how a stored interaction is replayed as a stream.
    if ((parameter === "alt" && value === "sse") || (parameter === "stream" && value === "true")) sse = true;
    else if (parameter === "alt" && value !== "json") whole = false;
    else if (parameter === "fields" || parameter === "callback") whole = false;
  }
  return { sse, whole };
}

function answerForm(byPath: AnswerForm, wish: AnswerWish): AnswerForm {
  return wish.sse && byPath !== "by-body" ? "sse" : byPath;
}

/**
 * Recognises a request.
 * `GET /v1/models` is Google's own list whatever credential came with it: an OpenAI client with base `/v1` and the
 * native SDK send the same line, and the native one has no other way to ask.
 *
 * @param url raw request target (`/path?query`), untrusted.
 * @returns undefined for what is no part of the API, to be answered 404. Never throws.
 */
export function routeRequest(method: string, url: string, options?: RouteOptions): Route | undefined {
  const target = readTarget(url, options?.pathPrefix ?? "");
  if (target === undefined) return undefined;
  const path = withoutAlias(target.path);
  const versioned = VERSIONED_PATH.exec(path);
  if (versioned === null) return undefined;
  const below = decodeLeniently(path.slice(versioned[0].length));
  const meaning = meaningOf(method, below);
  if (meaning.model !== undefined && meaning.model.length > MODEL_NAME_LENGTH_MAX) return undefined;
  const wish = answerWish(target.query);
  const isUpload = path.startsWith("/upload/");
  return {
    version: versioned[1] as ApiVersion,
    surface: meaning.surface,
    operation: meaning.operation,
    model: meaning.model,
    modelInBody: meaning.modelInBody,
    answer: answerForm(meaning.answer, wish),
    generates: wish.whole && GENERATING_OPERATIONS.has(meaning.operation),
    below,
    isUpload,
    resource: resourceOfPath(below)?.root,
    tells: answerTelling(method, below, isUpload),
    upstreamPath: target.query === "" ? path : `${path}?${target.query}`,
  };
}

/** What a JSON request body decides about its own routing. */
export interface BodyChoice {
  /** Bare model name, or the agent's for an interaction that names one; undefined when there is none to be read. */
  readonly model: string | undefined;
  /** Whether the caller asked for a stream. */
  readonly stream: boolean;
}

/**
 * Reads model and `stream` from a body, for routes whose path names no model.
 * A body that is not JSON gives neither: the upstream is the one to say what is wrong with it. Never throws.
 */
export function modelInBody(bodyBytes: Buffer): BodyChoice {
  let body: unknown;
  try {
    body = JSON.parse(bodyBytes.toString("utf8"));
  } catch {
    return { model: undefined, stream: false };
  }
  if (typeof body !== "object" || body === null) return { model: undefined, stream: false };
  const { model, agent, stream } = body as { model?: unknown; agent?: unknown; stream?: unknown };
  return bodyChoice({ model, agent, stream });
}

/** The same of a body that was read without being parsed (`readBody` of `resources/`), or was parsed already. */
export function bodyChoice({
  model,
  agent,
  stream,
}: Readonly<Record<"model" | "agent" | "stream", unknown>>): BodyChoice {
  return { model: bareModel(model) ?? bareModel(agent), stream: stream === true };
}

function bareModel(name: unknown): string | undefined {
  if (typeof name !== "string") return undefined;
  const bare = name.startsWith("models/") ? name.slice("models/".length) : name;
  return bare === "" || bare.length > MODEL_NAME_LENGTH_MAX ? undefined : bare;
}
