/**
 * Connects through a SOCKS proxy. socks-proxy-agent is made for node:http; of its agent only `connect()` is used, which
 * gives the bare socket. Worker threads and probers.
 */
import { EventEmitter } from "node:events";
import type { ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { SocksProxyAgent } from "socks-proxy-agent";
import { TCP_KEEP_ALIVE_MS, type Dial } from "./dial.ts";
import { EgressError } from "./egress-error.ts";
import { proxyAddressOf } from "./proxy-address.ts";

/** RFC 1929 gives one byte to the length of a user name and of a password. */
const CREDENTIAL_BYTES_MAX = 255;
const SOCKS_PORT = 1080;

/**
 * @param proxy socks4, socks4a, socks5 or socks5h URL; with the `a` or `h` the proxy resolves names, else this machine
 * @param timeoutMs bounds the handshake with the proxy, and with it the life of a socket nobody waits for any more
 */
export function socksDial(proxy: URL, timeoutMs: number): Dial {
  const { host, port, user, password } = proxyAddressOf(proxy, SOCKS_PORT);
  const agent = new SocksProxyAgent(wellEncoded(proxy, user, password), { timeout: timeoutMs });
  // Said again in plain form: the agent takes the brackets of an IPv6 address for a part of it.
  Object.assign(agent.proxy, { host, port });
  const isTooLong = [user, password].some((text) => Buffer.byteLength(text) > CREDENTIAL_BYTES_MAX);
  return ({ host: targetHost, port: targetPort }, signal) => {
    if (isTooLong) return Promise.reject(new EgressError("PROXY_AUTH_REFUSED"));
    const opening = agent.connect(noRequest(), { host: targetHost, port: targetPort, secureEndpoint: false });
    return abandonable(opening, signal);
  };
}

/** The same URL; the agent decodes the credentials in it, and gives up on a bare %. */
function wellEncoded(proxy: URL, user: string, password: string): URL {
  return Object.assign(new URL(proxy), {
    username: encodeURIComponent(user),
    password: encodeURIComponent(password),
  });
}

/** There is no request yet. The agent only emits "proxy" on it, and destroys it on a time-out we switch off. */
function noRequest(): ClientRequest {
  return Object.assign(new EventEmitter(), { destroy: () => {} }) as unknown as ClientRequest;
}

/** The agent knows no signal: what it opens after the abort is closed at once. */
function abandonable(opening: Promise<Socket>, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", giveUp, { once: true });
    opening.then(
      (socket) => {
        signal.removeEventListener("abort", giveUp);
        // Left on, the agent's time-out would cut a stream that is silent for as long as a handshake may take.
        socket.setTimeout(0);
        socket.on("error", () => {});
        if (signal.aborted) socket.destroy();
        else resolve(socket.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS));
      },
      (error: unknown) => {
        signal.removeEventListener("abort", giveUp);
        reject(refusalOf(error));
      },
    );
  });
}

/** The library tells failures apart by sentence only; see `ERRORS` in its constants. */
function refusalOf(error: unknown): EgressError {
  const { message, code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error("");
  // Names are resolved here for socks4 and socks5: that failure is the system's, and has a code.
  if (code !== undefined) return new EgressError(code);
  if (/authentication failed|no accepted authentication/i.test(message))
    return new EgressError("PROXY_AUTH_REFUSED");
  if (/rejected connection/i.test(message)) return new EgressError("PROXY_REFUSED");
  if (/timed out/i.test(message)) return new EgressError("CONNECT_TIMEOUT");
  if (/socket closed|invalid socks/i.test(message)) return new EgressError("PROXY_BROKEN");
  return new EgressError("PROXY_UNREACHABLE");
}
