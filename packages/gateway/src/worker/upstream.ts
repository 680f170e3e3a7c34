/**
 * The way out: one undici dispatcher per worker, direct or through the operator's proxy. Worker threads.
 */
import { Agent, Pool, ProxyAgent, buildConnector, type Dispatcher } from "undici";
import { socksConnector } from "./socks-connector.ts";

export interface UpstreamOptions {
  /** Origin, with an optional path prefix put before every path. */
  readonly upstream: URL;
  /** socks4, socks5, socks5h, http or https URL; may carry credentials. */
  readonly proxy: URL | undefined;
  readonly connectMs: number;
  /** Longest wait for the response's headers. */
  readonly firstByteMs: number;
  /** Longest silence inside a response. */
  readonly idleMs: number;
  readonly http2: boolean;
}

/** How long an unused connection is kept when the server names no time of its own. */
const KEEP_ALIVE_MS = 30_000;
/** Headers of an answer larger than this are refused, bytes. */
const RESPONSE_HEADER_BYTES_MAX = 65_536;

export class Upstream implements AsyncDisposable {
  readonly origin: string;
  /** Put before every path; without a trailing slash. */
  readonly pathPrefix: string;
  readonly #dispatcher: Dispatcher;

  constructor(options: UpstreamOptions) {
    this.origin = options.upstream.origin;
    this.pathPrefix = options.upstream.pathname.replace(/\/+$/, "");
    this.#dispatcher = openDispatcher(options);
  }

  dispatch(options: Omit<Dispatcher.DispatchOptions, "origin">, handler: Dispatcher.DispatchHandler): void {
    this.#dispatcher.dispatch(
      { ...options, origin: this.origin, path: this.pathPrefix + options.path },
      handler,
    );
  }

  /** Ends every connection at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher.destroy();
  }
}

function openDispatcher(options: UpstreamOptions): Dispatcher {
  const { upstream, proxy } = options;
  const common = {
    headersTimeout: options.firstByteMs,
    bodyTimeout: options.idleMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: RESPONSE_HEADER_BYTES_MAX,
    allowH2: options.http2,
  };
  const connect = { timeout: options.connectMs };
  if (proxy === undefined) return new Pool(upstream.origin, { ...common, connect });
  if (proxy.protocol.startsWith("socks")) {
    return new Agent({ ...common, connect: socksConnector(proxy, buildConnector(connect), options.connectMs) });
  }
  return new ProxyAgent({ ...common, uri: proxy.href, connect, requestTls: connect, proxyTunnel: true });
}
