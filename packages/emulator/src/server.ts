/** The listening socket: HTTP/1.1, or HTTPS with HTTP/2 beside it. Loopback only. Runs on the emulator's thread. */
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server } from "node:http";
import { createSecureServer } from "node:http2";
import type { Http2SecureServer, ServerHttp2Session } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { HttpRequest, HttpResponse } from "./delivery.ts";

/** PEM texts; with them the emulator speaks HTTPS, HTTP/2 and HTTP/1.1. */
export interface TlsOptions {
  readonly key: string;
  readonly cert: string;
}

export type HttpHandler = (request: HttpRequest, response: HttpResponse) => void;

/** A request to change the protocol: for WebSocket. `head` is what came behind it. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface Listener {
  readonly port: number;
  readonly url: string;
  /** Ends every connection and stops listening. */
  close(): Promise<void>;
}

/** Connections waiting to be accepted: a storm of thousands must not be refused by the kernel. */
const BACKLOG = 4096;
/** Google takes long header lines; more than Node's default, bounded all the same. Bytes. */
const HEADER_BYTES_MAX = 64 * 1024;

/** Resolves when the port is open; rejects with the system's error when it cannot be. */
export async function listen(
  handler: HttpHandler,
  options: {
    readonly host: string;
    readonly port: number;
    readonly tls?: TlsOptions;
    readonly upgrade?: UpgradeHandler;
  },
): Promise<Listener> {
  const server = options.tls === undefined ? plainServer(handler) : secureServer(handler, options.tls);
  const closeConnections = trackConnections(server);
  // One signature over both servers' emitters, whose overloads do not unite.
  if (options.upgrade !== undefined) (server as NodeJS.EventEmitter).on("upgrade", options.upgrade);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port, backlog: BACKLOG }, () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  const scheme = options.tls === undefined ? "http" : "https";
  return {
    port,
    url: `${scheme}://${options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        closeConnections();
      }),
  };
}

function plainServer(handler: HttpHandler): Server {
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX, keepAliveTimeout: 240_000 }, handler);
  // A test holds requests for as long as it likes; the emulator does not end them.
  server.requestTimeout = 0;
  return server;
}

function secureServer(handler: HttpHandler, { key, cert }: TlsOptions): Http2SecureServer {
  // As node:http does by itself: an event must not wait in the kernel for the one before it to be acknowledged.
  const options = { key, cert, allowHTTP1: true, noDelay: true };
  return createSecureServer(options, handler as unknown as RequestListener as never);
}

/** Remembers open connections, so that closing does not wait for clients. */
function trackConnections(server: Server | Http2SecureServer): () => void {
  const open = new Set<Socket | ServerHttp2Session>();
  const track = (connection: Socket | ServerHttp2Session): void => {
    open.add(connection);
    connection.once("close", () => open.delete(connection));
  };
  server.on("connection", track);
  server.on("session", track);
  return () => {
    for (const connection of open) connection.destroy();
  };
}
