/**
 * The request that opens a Live session: its path and its credential (gemini-wire.md sections 2 and 8). Pure.
 * One slash or two before `ws`; a key by query or header, or an ephemeral token on the constrained path alone.
 */
import type { ErrorName } from "../named-errors.ts";

export interface LiveRoute {
  readonly version: string;
  /** The path for ephemeral tokens. */
  readonly isConstrained: boolean;
}

const PATH =
  /^\/+ws\/+google\.ai\.generativelanguage\.(v1|v1beta|v1alpha)\.GenerativeService\.BidiGenerateContent(Constrained)?\/*$/;

/** Undefined for every other path. */
export function liveRouteOf(path: string): LiveRoute | undefined {
  const [, version, constrained] = PATH.exec(path) ?? [];
  return version === undefined ? undefined : { version, isConstrained: constrained !== undefined };
}

export type LiveCredential =
  | { readonly kind: "key"; readonly key: string }
  /** `auth_tokens/…`. */
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "refused"; readonly error: ErrorName };

/** The one credential of a handshake. */
export function liveCredentialOf(
  { isConstrained }: LiveRoute,
  query: URLSearchParams,
  header: (name: string) => string | undefined,
): LiveCredential {
  const key = query.get("key") || header("x-goog-api-key");
  const authorization = header("authorization");
  const token = query.get("access_token") || /^Token +(\S+)$/i.exec(authorization ?? "")?.[1];
  const given = [query.get("key"), header("x-goog-api-key"), query.get("access_token"), authorization];
  const count = given.filter((value) => value !== null && value !== undefined && value !== "").length;
  if (count === 0) return { kind: "refused", error: "no-credential" };
  if (count > 1) return { kind: "refused", error: "two-credentials" };
  if (token) return isConstrained ? { kind: "token", token } : { kind: "refused", error: "unauthenticated" };
  if (!key || isConstrained) return { kind: "refused", error: "unauthenticated" };
  return { kind: "key", key };
}
