/** The way out: the connections of one worker to the upstream, direct or through the operator's proxy. Worker threads. */
import { Pool, type Client, type Dispatcher } from "undici";
import { connectorOver } from "../egress/connector.ts";
import { dialFor } from "../egress/dial-for.ts";
import { ConnectionPool } from "./connection-pool.ts";

export interface UpstreamOptions {
  /** Origin, with an optional path prefix put before every path. */
  readonly upstream: URL;
  /** socks4, socks4a, socks5, socks5h, http or https URL; may carry credentials. */
  readonly proxy: URL | undefined;
  /** Longest time until a connection is ready for a request: name, TCP, proxy and TLS together. */
  readonly connectMs: number;
  /** Longest wait for the response's headers. */
  readonly firstByteMs: number;
  /** Longest silence inside a response. */
  readonly idleMs: number;
  /** Whether HTTP/2 is offered to an https upstream. */
  readonly http2: boolean;
  /** How long an unused connection is kept. Default {@link UNUSED_CONNECTION_MS}. */
  readonly unusedMs?: number;
  /** Default {@link CONNECTIONS_MAX}. */
  readonly connectionsMax?: number;
}

/** Shorter than what servers and middleboxes commonly wait; a server that names a shorter time is believed. */
const UNUSED_CONNECTION_MS = 30_000;
/**
 * Connections of one worker. A backstop above `limits.requests`, which refuses with 503 first: of the 28,000 local
 * ports Linux gives out for one address of the upstream, a few thousand stay for other workers and programs.
 */
const CONNECTIONS_MAX = 16_384;
/** Headers of an answer larger than this are refused, bytes. */
const RESPONSE_HEADER_BYTES_MAX = 65_536;
/** Streams at once on one HTTP/2 connection; Google allows 100. */
const STREAMS_PER_CONNECTION_MAX = 100;

export class Upstream implements AsyncDisposable {
  readonly origin: string;
  /** Put before every path; without a trailing slash. */
  readonly pathPrefix: string;
  readonly #pool: ConnectionPool | Pool;

  constructor(options: UpstreamOptions) {
    this.origin = options.upstream.origin;
    this.pathPrefix = options.upstream.pathname.replace(/\/+$/, "");
    this.#pool = openPool(options, this.origin);
  }

  /** Tells every failure to the handler, never throws; may do so before it returns. */
  dispatch(options: Omit<Dispatcher.DispatchOptions, "origin">, handler: Dispatcher.DispatchHandler): void {
    this.#pool.dispatch({ ...options, origin: this.origin, path: this.pathPrefix + options.path }, handler);
  }

  /** Ends every connection at once; their requests fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#pool instanceof ConnectionPool) await this.#pool[Symbol.asyncDispose]();
    else await this.#pool.destroy();
  }
}

function openPool(options: UpstreamOptions, origin: string): ConnectionPool | Pool {
  const { connectMs, unusedMs = UNUSED_CONNECTION_MS, connectionsMax = CONNECTIONS_MAX } = options;
  const http2 = options.http2 && options.upstream.protocol === "https:";
  const client: Client.Options = {
    headersTimeout: options.firstByteMs,
    bodyTimeout: options.idleMs,
    keepAliveTimeout: unusedMs,
    keepAliveMaxTimeout: unusedMs,
    maxHeaderSize: RESPONSE_HEADER_BYTES_MAX,
    allowH2: http2,
    connect: connectorOver({ dial: dialFor(options.proxy, connectMs), connectMs, http2 }),
  };
  if (!http2) return new ConnectionPool({ origin, client, connectionsMax });
  // Which connection has room for one more stream is a question undici's own pool answers.
  const h2Options = { maxConcurrentStreams: STREAMS_PER_CONNECTION_MAX };
  return new Pool(origin, { ...client, h2Options, connections: connectionsMax });
}
