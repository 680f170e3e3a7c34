/**
 * Remembers TLS sessions, so that the next connection spares the certificates and the asymmetric work. Worker threads
 * and probers. undici has such a memory too, but a weak one: the first garbage collection empties it.
 */
import type { TLSSocket } from "node:tls";

/** Hosts whose latest session is kept. */
const HOSTS_MAX = 16;

export class TlsSessions {
  readonly #latest = new Map<string, Buffer>();

  /** The option by which a connection to `host` resumes the latest session; none when there is nothing to resume. */
  resumption(host: string): { readonly session?: Buffer } {
    const session = this.#latest.get(host);
    return session === undefined ? {} : { session };
  }

  /**
   * Keeps what the server offers, but not before its certificate was found good: a resumed connection is not checked
   * again, so a session from an impostor would open the door to it.
   */
  learnFrom(tls: TLSSocket, host: string): void {
    let early: Buffer | undefined;
    let isTrusted = false;
    tls.on("session", (session: Buffer) => {
      if (isTrusted) this.#keep(host, session);
      else early = session;
    });
    tls.once("secureConnect", () => {
      isTrusted = true;
      if (early !== undefined) this.#keep(host, early);
    });
  }

  /** After a failed handshake the next one begins from nothing. */
  forget(host: string): void {
    this.#latest.delete(host);
  }

  #keep(host: string, session: Buffer): void {
    this.#latest.delete(host);
    this.#latest.set(host, session);
    const [oldest] = this.#latest.keys();
    if (this.#latest.size > HOSTS_MAX && oldest !== undefined) this.#latest.delete(oldest);
  }
}
