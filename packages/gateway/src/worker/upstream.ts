/** The way out: the connections of one worker to the upstream, direct or through the operator's proxy. Worker threads. */
import { UpstreamHeaderLines } from "@gemini-gateway/gemini/headers";
import { connectorOver } from "../egress/connector.ts";
import { dialFor } from "../egress/dial-for.ts";
import { outgoingHead } from "../http1/outgoing-head.ts";
import { ConnectedCall } from "./connected-call.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { Http2Pool } from "./http2-pool.ts";
import type { AnswerHandler, OutgoingRequest, UpstreamCall } from "./upstream-call.ts";
import { UpstreamError } from "./upstream-error.ts";

export interface UpstreamOptions {
  /** Origin, with an optional path prefix put before every path. */
  readonly upstream: URL;
  /** socks4, socks4a, socks5, socks5h, http or https URL; may carry credentials. */
  readonly proxy: URL | undefined;
  /** Longest time until a connection is ready for a request: name, TCP, proxy and TLS together. */
  readonly connectMs: number;
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

export class Upstream implements AsyncDisposable {
  readonly origin: string;
  /** Put before every path; without a trailing slash. */
  readonly pathPrefix: string;
  readonly #host: string;
  readonly #headerLines = new UpstreamHeaderLines();
  readonly #pool: ConnectionPool | Http2Pool;

  constructor(options: UpstreamOptions) {
    this.origin = options.upstream.origin;
    this.#host = options.upstream.host;
    this.pathPrefix = options.upstream.pathname.replace(/\/+$/, "");
    this.#pool = openPool(options);
  }

  /** Tells every failure to the handler, never throws; may do so before it returns. */
  send(request: OutgoingRequest, handler: AnswerHandler): UpstreamCall {
    const { method, rawHeaders, credential, source } = request;
    const bodyBytes = source === undefined ? request.bodyBytes : source.bytes;
    const target = this.pathPrefix + request.path;
    if (this.#pool instanceof Http2Pool) return this.#pool.dispatch(request, target, handler);
    const headerLines = this.#headerLines.of(rawHeaders, credential);
    const head =
      headerLines === undefined
        ? undefined
        : outgoingHead({ method, target, host: this.#host, headerLines, bodyBytes });
    const call = new ConnectedCall(request, handler, head ?? "");
    if (head === undefined) handler.onError(new UpstreamError("UNSENDABLE"));
    else this.#pool.dispatch(call);
    return call;
  }

  /** Ends every connection at once; their requests fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#pool instanceof Http2Pool) await this.#pool[Symbol.asyncDispose]();
    else this.#pool[Symbol.dispose]();
  }
}

function openPool(options: UpstreamOptions): ConnectionPool | Http2Pool {
  const { upstream, connectMs, unusedMs = UNUSED_CONNECTION_MS, connectionsMax = CONNECTIONS_MAX } = options;
  const http2 = options.http2 && upstream.protocol === "https:";
  const connect = connectorOver({ dial: dialFor(options.proxy, connectMs), connectMs, http2 });
  const common = { connect, connectionsMax, unusedMs, headBytesMax: RESPONSE_HEADER_BYTES_MAX };
  // Which connection has room for one more stream is a question undici's own pool answers.
  return http2
    ? new Http2Pool({ ...common, origin: upstream.origin })
    : new ConnectionPool({ ...common, origin: upstream });
}
