/**
 * The way out for Live sessions: opens WebSockets to the upstream, direct or through the operator's proxy, as all else
 * goes. Worker threads. Sends exactly one credential and nothing about the caller; never follows a redirect.
 */
import { pathWithToken, type LiveRoute, type LiveToken } from "@gemini-gateway/gemini/live-route";
import { upstreamHeaders } from "@gemini-gateway/gemini/headers";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, type ClientOptions } from "ws";
import { connectorOver, type Connector } from "../../egress/connector.ts";
import { dialFor } from "../../egress/dial-for.ts";
import { EgressError } from "../../egress/egress-error.ts";
import type { UpstreamOptions } from "../upstream.ts";
import { socketOptions } from "./live-socket.ts";

/** What a session is opened with. */
export interface LiveOpening {
  readonly route: LiveRoute;
  /** The client's, as they came. */
  readonly rawHeaders: readonly string[];
  /** A pool key, or the token that the client came with. */
  readonly credential: { readonly key: string } | { readonly token: LiveToken };
  readonly messageBytesMax: number;
  /** Longest time until the handshake is answered, the connection included, milliseconds. */
  readonly handshakeMs: number;
}

/** How an opening ended badly; one of these is called, once, or `opened`. */
export interface OpeningListener {
  opened(): void;
  /** The upstream answered the handshake with something else. */
  refused(status: number, contentType: string, body: string): void;
  failed(error: Error): void;
}

/** Bytes of a refusal that are read. */
const REFUSAL_BYTES_MAX = 65_536;

export class LiveUpstream {
  readonly #connect: Connector;
  readonly #upstream: URL;
  readonly #pathPrefix: string;

  constructor({ upstream, proxy, connectMs }: UpstreamOptions) {
    this.#connect = connectorOver({ dial: dialFor(proxy, connectMs), connectMs, http2: false });
    this.#upstream = upstream;
    this.#pathPrefix = upstream.pathname.replace(/\/+$/, "");
  }

  /** Begins to open a session; the socket is the caller's to end at any time. */
  open(opening: LiveOpening, listener: OpeningListener): WebSocket {
    const { route, credential, messageBytesMax, handshakeMs } = opening;
    const token = "token" in credential ? credential.token : undefined;
    const path = pathWithToken(route, token);
    // The connection brings its own TLS: to the client of the handshake it is a plain one.
    const url = `ws://${this.#upstream.host}${this.#pathPrefix}${path}`;
    const socket = new WebSocket(url, {
      ...socketOptions(messageBytesMax),
      headers: headersFor(opening),
      handshakeTimeout: handshakeMs,
      followRedirects: false,
      createConnection: this.#createConnection,
    });
    listen(socket, listener);
    return socket;
  }

  /** Of the form that node's HTTP client wants, which the types of ws do not know: the socket comes later. */
  readonly #createConnection = ((
    _options: object,
    created: (error: Error | null, socket?: Duplex) => void,
  ): undefined => {
    const { protocol, hostname, port } = this.#upstream;
    const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
    this.#connect({ protocol, hostname: host, port }, (error, socket) => {
      if (error === null) created(null, socket);
      else created(error);
    });
    return undefined;
  }) as unknown as NonNullable<ClientOptions["createConnection"]>;
}

function listen(socket: WebSocket, listener: OpeningListener): void {
  let isOver = false;
  const once = (tell: () => void): void => {
    if (isOver) return;
    isOver = true;
    tell();
  };
  socket.on("open", () => once(() => listener.opened()));
  socket.on("error", (error) => once(() => listener.failed(error)));
  socket.on("close", () => once(() => listener.failed(new EgressError("CONNECT_BROKEN"))));
  socket.on("unexpected-response", (request, answer) => {
    readRefusal(answer, (body) => {
      const { statusCode: status = 0, headers } = answer;
      once(() => listener.refused(status, headers["content-type"] ?? "", body));
      request.destroy();
      socket.terminate();
    });
  });
}

function readRefusal(answer: IncomingMessage, tell: (body: string) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const end = (): void => tell(Buffer.concat(chunks).toString("utf8"));
  answer.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > REFUSAL_BYTES_MAX) answer.destroy();
  });
  answer.on("error", () => {});
  answer.on("close", end);
}

/** The client's own headers but for what is its own business, and the one credential. */
function headersFor({ rawHeaders, credential }: LiveOpening): Record<string, string> {
  const headers: Record<string, string> = {};
  const flat = upstreamHeaders(rawHeaders, "key" in credential ? credential.key : "");
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const name = flat[at] ?? "";
    const value = flat[at + 1] ?? "";
    if (name === "accept-encoding" || (value === "" && name === "x-goog-api-key")) continue;
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  if ("token" in credential && credential.token.form === "header") {
    headers["authorization"] = `Token ${credential.token.value}`;
  }
  return headers;
}
