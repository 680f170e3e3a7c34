/**
 * Tells who asks: one of the operator's named clients, or nobody in particular. Worker threads.
 * Secrets of the configuration are compared as digests of equal length in constant time, over all of them whatever the
 * result. Named clients are looked up by digest: how long that takes tells something of the digest, which nobody can
 * choose secrets by, and there may be a thousand of them.
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

  constructor(authKeys: readonly AuthKey[]) {
    this.setAuthKeys(authKeys);
  }

  /** Takes over the auth keys of another configuration. */
  setAuthKeys(authKeys: readonly AuthKey[]): void {
    this.#known = authKeys.map(({ name, secret }) => ({
      caller: { name, authenticated: true },
      digest: digestOf(secret),
    }));
  }

  /** Takes over all named clients there are now. */
  setClients(clients: readonly ClientNotice[]): void {
    this.#clients = new Map(
      clients.map((client) => [client.digest, { name: client.name, authenticated: true, client }]),
    );
  }

  /** The caller behind a request's headers and URL. */
  identify(rawHeaders: readonly string[], url: string): Caller {
    if (this.#known.length === 0 && this.#clients.size === 0) return ANONYMOUS;
    let found: Caller = ANONYMOUS;
    for (const credential of clientCredentials(rawHeaders, url).slice(0, CREDENTIALS_MAX)) {
      const digest = digestOf(credential);
      found = this.#clients.get(digest.toString("hex")) ?? found;
      for (const known of this.#known) {
        if (timingSafeEqual(digest, known.digest)) found = known.caller;
      }
    }
    return found;
  }
}

function digestOf(secret: string): Buffer {
  return hash("sha256", secret, "buffer");
}
