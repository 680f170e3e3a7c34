/**
 * The paths of the Live API (WebSocket), and the ephemeral token a client may open one with.
 * Runs on the HTTP workers, once per upgrade. Pure; never throws, whatever the request line holds.
 */
import type { ApiVersion } from "./route.ts";
import { decodeLeniently, queryParameters } from "./query-string.ts";
import { readTarget } from "./request-target.ts";

export interface LiveRoute {
  readonly version: ApiVersion;
  /** One of a closed set of names; "bidi.other" for a method that is not known yet. The constrained method is none of its own. */
  readonly operation: "bidiGenerateContent" | "bidiGenerateMusic" | "bidi.other";
  /** Only here does Google take an ephemeral token. */
  readonly isConstrained: boolean;
  /** Path and query to send upstream: with one slash, without prefix and credentials. */
  readonly upstreamPath: string;
}

/** Google adds methods faster than gateways are updated: all of the family pass. */
const LIVE_PATH =
  /^\/ws\/google\.ai\.generativelanguage\.(v1beta|v1alpha|v1)\.GenerativeService\.(Bidi[A-Za-z]{1,60})$/;
const CONSTRAINED = "BidiGenerateContentConstrained";

/**
 * Recognises a Live session's request line.
 * @param url raw request target, untrusted
 * @returns undefined for every other path
 */
export function liveRouteOf(url: string, pathPrefix = ""): LiveRoute | undefined {
  const target = readTarget(url, pathPrefix);
  const [, version, method] = (target && LIVE_PATH.exec(target.path)) ?? [];
  if (target === undefined || version === undefined || method === undefined) return undefined;
  return {
    version: version as ApiVersion,
    operation: operationOf(method),
    isConstrained: method === CONSTRAINED,
    upstreamPath: target.query === "" ? target.path : `${target.path}?${target.query}`,
  };
}

function operationOf(method: string): LiveRoute["operation"] {
  if (method === "BidiGenerateContent" || method === CONSTRAINED) return "bidiGenerateContent";
  return method === "BidiGenerateMusic" ? "bidiGenerateMusic" : "bidi.other";
}

/** An ephemeral token in the form the client gave it: it is the session's only credential, and secret. */
export type LiveToken =
  /** `value` as it stood in the query, encoded as it was. */
  | { readonly form: "query"; readonly value: string }
  /** `value` of the `Authorization` header. */
  | { readonly form: "header"; readonly value: string };

const TOKEN_START = "auth_tokens/";
const TOKEN_HEADER = /^token\s+(auth_tokens\/.+)$/i;

/** The token a session comes with; undefined where none may be given, or none is. */
export function liveTokenOf(
  route: LiveRoute,
  rawHeaders: readonly string[],
  url: string,
): LiveToken | undefined {
  if (!route.isConstrained) return undefined;
  const queryAt = url.indexOf("?");
  const parameters = queryAt < 0 ? [] : queryParameters(url.slice(queryAt + 1));
  for (const { name, value } of parameters) {
    const isToken = name === "access_token" && decodeLeniently(value).startsWith(TOKEN_START);
    if (isToken) return { form: "query", value };
  }
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if ((rawHeaders[at] ?? "").toLowerCase() !== "authorization") continue;
    const [, value] = TOKEN_HEADER.exec((rawHeaders[at + 1] ?? "").trim()) ?? [];
    if (value !== undefined) return { form: "header", value };
  }
  return undefined;
}

/** The path with the token in it, where it belongs there. */
export function pathWithToken({ upstreamPath }: LiveRoute, token: LiveToken | undefined): string {
  if (token?.form !== "query") return upstreamPath;
  return `${upstreamPath}${upstreamPath.includes("?") ? "&" : "?"}access_token=${token.value}`;
}
