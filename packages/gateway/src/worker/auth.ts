/**
 * Tells who asks: one of the operator's named clients, or nobody in particular. Worker threads.
 * Secrets of the configuration are compared as digests of equal length in constant time, over all of them whatever the
 * result. Named clients are looked up by digest: how long that takes tells something of the digest, which nobody can
 * choose secrets by, and there may be a thousand of them. A secret that was right is remembered and looked up by the hash
 * that V8 makes of a string with a seed of this process: how long that takes tells as little, of a hash nobody knows.
 */
import { clientCredentials } from "@gemini-gateway/gemini/credentials";
import { hash, timingSafeEqual } from "node:crypto";
import type { AuthKey } from "../config/option.ts";
import type { ClientNotice } from "../limits/messages.ts";

export interface Caller {
  /** Name of the auth key, or "anonymous". */
  readonly name: string;
  readonly authenticated: boolean;
  /** Set for a client that has limits of its own. */
  readonly client?: ClientNotice;
}

export const ANONYMOUS: Caller = { name: "anonymous", authenticated: false };

/** Credentials of one request that are compared; more are ignored, so that a request cannot buy work. */
const CREDENTIALS_MAX = 4;

interface KnownCaller {
  readonly caller: Caller;
  readonly digest: Buffer;
}

export class Authenticator {
  #known: readonly KnownCaller[] = [];
  /** By digest, hexadecimal. */
  #clients: ReadonlyMap<string, Caller> = new Map();
  /** Credentials that were right before: at most as many as there are. A wrong one is never kept. */
  readonly #recognised = new Map<string, Caller>();

  constructor(authKeys: readonly AuthKey[]) {
    this.setAuthKeys(authKeys);
  }

  /** Takes over the auth keys of another configuration. */
  setAuthKeys(authKeys: readonly AuthKey[]): void {
    this.#recognised.clear();
    this.#known = authKeys.map(({ name, secret }) => ({
      caller: { name, authenticated: true },
      digest: digestOf(secret),
    }));
  }

  /** Takes over all named clients there are now. */
  setClients(clients: readonly ClientNotice[]): void {
    this.#recognised.clear();
    this.#clients = new Map(
      clients.map((client) => [client.digest, { name: client.name, authenticated: true, client }]),
    );
  }

  /** The caller behind a request's headers and URL. */
  identify(rawHeaders: readonly string[], url: string): Caller {
    if (this.#known.length === 0 && this.#clients.size === 0) return ANONYMOUS;
    let found: Caller = ANONYMOUS;
    const credentials = clientCredentials(rawHeaders, url);
    for (let at = 0; at < credentials.length && at < CREDENTIALS_MAX; at += 1) {
      const credential = credentials[at] ?? "";
      found = this.#recognised.get(credential) ?? this.#recognise(credential) ?? found;
    }
    return found;
  }

  #recognise(credential: string): Caller | undefined {
    const digest = digestOf(credential);
    let found = this.#clients.get(digest.toString("hex"));
    for (const known of this.#known) {
      if (timingSafeEqual(digest, known.digest)) found = known.caller;
    }
    if (found !== undefined) this.#recognised.set(credential, found);
    return found;
  }
}

function digestOf(secret: string): Buffer {
  return hash("sha256", secret, "buffer");
}
