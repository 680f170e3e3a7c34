/**
 * Names for things whose id is itself a right of access: upload ids, ephemeral tokens, handles of Live sessions,
 * continuation tokens. They are known by a digest, so that neither store nor log nor error holds what grants access.
 * Pure; runs on the HTTP workers. Must never put a token's own text into a name.
 */
import { hashBytes, hexOf } from "./byte-hash.ts";
import type { Resource, ResourceKind } from "./resource-name.ts";

/** Kinds that are named by digest, with the collection their names begin with. */
const COLLECTIONS = {
  "auth-token": "auth_tokens",
  "live-handle": "live-handles",
  continuation: "continuations",
  upload: "uploads",
} as const satisfies Partial<Record<ResourceKind, string>>;

export type OpaqueKind = keyof typeof COLLECTIONS;

/** Longest token that is looked at, bytes of UTF-8; Google's have a few kilobytes. */
export const TOKEN_BYTES_MAX = 262_144;
/** Two independent hashes: tokens of one pool never meet by chance. */
const SEEDS = [0x67_61_74_65, 0x77_61_79_31] as const;

/** The thing a token stands for; undefined for an empty token and one that is absurdly long. */
export function opaqueResource(kind: OpaqueKind, token: string): Resource | undefined {
  if (token === "" || token.length > TOKEN_BYTES_MAX) return undefined;
  const bytes = Buffer.from(token);
  if (bytes.length > TOKEN_BYTES_MAX) return undefined;
  const [first, second] = SEEDS;
  const half = (seed: number): string => hexOf(hashBytes(bytes, 0, bytes.length, seed));
  const digest = half(first) + half(second);
  const name = `${COLLECTIONS[kind]}/${digest}`;
  return { name, root: name, kind };
}

/** An ephemeral token, `auth_tokens/…`, as `access_token=` and `Authorization: Token …` carry it. */
export function authToken(name: string): Resource | undefined {
  return name.startsWith("auth_tokens/") ? opaqueResource("auth-token", name) : undefined;
}
