/**
 * Which credential a request carries, judged as Google does (gemini-wire.md section 2). Pure.
 * Exactly one of `x-goog-api-key`, `?key=` and, on the OpenAI routes alone, `Authorization: Bearer`.
 */
import type { ErrorName } from "./named-errors.ts";

export type Credential =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "refused"; readonly error: ErrorName };

export interface CredentialSource {
  /** `x-goog-api-key`, when present and not empty. */
  readonly headerKey: string | undefined;
  /** `?key=`, when present and not empty. */
  readonly queryKey: string | undefined;
  /** The whole `Authorization` header. */
  readonly authorization: string | undefined;
}

/** Reads the credential; `bearerAllowed` on the OpenAI routes only. */
export function credentialOf(source: CredentialSource, bearerAllowed: boolean): Credential {
  const { headerKey, queryKey, authorization } = source;
  const given = [headerKey, queryKey, authorization].filter((value) => value !== undefined && value !== "");
  if (given.length > 1) return { kind: "refused", error: "two-credentials" };
  const key = headerKey || queryKey;
  if (key) return { kind: "key", key };
  if (!authorization) return { kind: "refused", error: "no-credential" };
  if (!bearerAllowed) return { kind: "refused", error: "unauthenticated" };
  const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  return bearer === undefined ? { kind: "refused", error: "unauthenticated" } : { kind: "key", key: bearer };
}

/** What an unknown key gets: authorization keys (`AQ.`) are judged as tokens, 401; the rest 400. */
export function unknownKeyError(key: string): ErrorName {
  return key.startsWith("AQ.") ? "unauthenticated" : "api-key-invalid";
}
