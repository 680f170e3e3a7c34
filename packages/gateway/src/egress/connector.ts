/**
 * Opens connections for the HTTP client: dials, makes them TLS where the upstream is https, resumes TLS sessions, and
 * keeps one deadline over all of it. Worker threads and probers. Never trusts a certificate the system does not.
 */
import { isIP, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Dial } from "./dial.ts";
import { EgressError, egressErrorOf } from "./egress-error.ts";
import { TlsSessions } from "./tls-sessions.ts";

/** What the HTTP client says of a connection it wants. */
export interface Wanted {
  readonly protocol: string;
  /** Name or address; an IPv6 address without brackets. */
  readonly hostname: string;
  /** Empty for the protocol's own. */
  readonly port: string;
  /** Where a plain connection without a proxy reads to, instead of telling of data; the others ignore it. */
  readonly onread?: OnReadOpts;
}

/** Also the `connect` option of undici's clients. Calls back once. */
export type Connector = (
  wanted: Wanted,
  callback: (...result: [null, Socket] | [Error, null]) => void,
) => void;

export interface ConnectorOptions {
  readonly dial: Dial;
  /** Longest time until a connection is ready for a request: name, TCP, proxy and TLS together. */
  readonly connectMs: number;
  /** Whether HTTP/2 is offered; the server chooses. */
  readonly http2: boolean;
}

export function connectorOver({ dial, connectMs, http2 }: ConnectorOptions): Connector {
  const sessions = new TlsSessions();
  const open = async (wanted: Wanted, signal: AbortSignal): Promise<Socket> => {
    const { protocol, hostname, port, onread } = wanted;
    const isSecure = protocol === "https:";
    const target = { host: hostname, port: port === "" ? (isSecure ? 443 : 80) : Number(port) };
    const socket = await dial(target, signal, isSecure ? undefined : onread);
    return isSecure ? secured(socket, hostname, { sessions, http2, signal }) : socket;
  };
  return (wanted, callback) => {
    const opening = new AbortController();
    const deadline = setTimeout(() => opening.abort(new EgressError("CONNECT_TIMEOUT")), connectMs);
    void open(wanted, opening.signal).then(
      (socket) => {
        clearTimeout(deadline);
        // A socket that has died since would be dialled again and again by the client, without telling the request.
        if (socket.destroyed) callback(new EgressError("CONNECT_BROKEN"), null);
        else callback(null, socket);
      },
      (error: unknown) => {
        clearTimeout(deadline);
        callback(egressErrorOf(error), null);
      },
    );
  };
}

interface SecureOptions {
  readonly sessions: TlsSessions;
  readonly http2: boolean;
  readonly signal: AbortSignal;
}

function secured(
  socket: Socket,
  host: string,
  { sessions, http2, signal }: SecureOptions,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const tls = connectTls({
      socket,
      host,
      // A name is sent, an address must not be (RFC 6066); either is checked against the certificate.
      ...(isIP(host) === 0 && { servername: host }),
      ALPNProtocols: http2 ? ["h2", "http/1.1"] : ["http/1.1"],
      ...sessions.resumption(host),
    });
    let isOpen = false;
    const fail = (error: unknown): void => {
      // Stays until the HTTP client listens, so that no error goes unheard; after that it has nothing to say.
      if (isOpen) return;
      signal.removeEventListener("abort", abort);
      sessions.forget(host);
      tls.destroy();
      socket.destroy();
      reject(egressErrorOf(error));
    };
    const abort = (): void => fail(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    sessions.learnFrom(tls, host);
    tls.on("error", fail);
    tls.once("secureConnect", () => {
      isOpen = true;
      signal.removeEventListener("abort", abort);
      resolve(tls);
    });
  });
}
