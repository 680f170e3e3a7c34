/**
 * Tells who asks: one of the operator's named clients, or nobody in particular. Worker threads.
 * Secrets are compared as digests of equal length in constant time, over all of them whatever the result.
 */
import { clientCredentials } from "@gemini-gateway/gemini/credentials";
import { hash, timingSafeEqual } from "node:crypto";

export interface Caller {
  /** Name of the auth key, or "anonymous". */
  readonly name: string;
  readonly authenticated: boolean;
}

export const ANONYMOUS: Caller = { name: "anonymous", authenticated: false };

/** Credentials of one request that are compared; more are ignored, so that a request cannot buy work. */
const CREDENTIALS_MAX = 4;

interface KnownCaller {
  readonly caller: Caller;
  readonly digest: Buffer;
}

export class Authenticator {
  readonly #known: readonly KnownCaller[];

  constructor(authKeys: readonly { readonly name: string; readonly secret: string }[]) {
    this.#known = authKeys.map(({ name, secret }) => ({
      caller: { name, authenticated: true },
      digest: digestOf(secret),
    }));
  }

  /** The caller behind a request's headers and URL. */
  identify(rawHeaders: readonly string[], url: string): Caller {
    if (this.#known.length === 0) return ANONYMOUS;
    let found = ANONYMOUS;
    for (const credential of clientCredentials(rawHeaders, url).slice(0, CREDENTIALS_MAX)) {
      const digest = digestOf(credential);
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
