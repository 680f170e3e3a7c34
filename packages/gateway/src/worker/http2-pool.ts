/**
 * HTTP/2 to the upstream, and HTTP/1.1 where it offers nothing else: undici's own pool behind the interface of our calls.
 * Worker threads. Only for operators who ask for it; see docs/decisions/0020-http2-upstream.md.
 */
import { upstreamHeaders } from "@gemini-gateway/gemini/headers";
import { Readable } from "node:stream";
import { Pool, type Dispatcher } from "undici";
import type { Connector } from "../egress/connector.ts";
import type { AnswerHandler, BodySource, OutgoingRequest, UpstreamCall } from "./upstream-call.ts";

export interface Http2PoolOptions {
  readonly origin: string;
  readonly connect: Connector;
  readonly connectionsMax: number;
  /** How long an unused connection is kept, milliseconds. */
  readonly unusedMs: number;
  /** Largest head of an answer, bytes. */
  readonly headBytesMax: number;
}

/** Streams at once on one HTTP/2 connection; Google allows 100. */
const STREAMS_PER_CONNECTION_MAX = 100;

export class Http2Pool implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #origin: string;

  constructor({ origin, connect, connectionsMax, unusedMs, headBytesMax }: Http2PoolOptions) {
    this.#origin = origin;
    this.#pool = new Pool(origin, {
      keepAliveTimeout: unusedMs,
      keepAliveMaxTimeout: unusedMs,
      maxHeaderSize: headBytesMax,
      allowH2: true,
      connect,
      h2Options: { maxConcurrentStreams: STREAMS_PER_CONNECTION_MAX },
      connections: connectionsMax,
    });
  }

  /** @param target path and query as they go out */
  dispatch(request: OutgoingRequest, target: string, handler: AnswerHandler): UpstreamCall {
    const call = new Http2Call(handler);
    const headers = upstreamHeaders(request.rawHeaders, request.credential);
    const bodyBytes = request.source === undefined ? request.bodyBytes : request.source.bytes;
    if (bodyBytes !== undefined && bodyBytes > 0) headers.push("content-length", String(bodyBytes));
    this.#pool.dispatch(
      {
        origin: this.#origin,
        path: target,
        method: request.method,
        headers,
        body: bodyOf(request),
        headersTimeout: request.firstByteMs,
        bodyTimeout: request.idleMs,
      },
      call,
    );
    return call;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }
}

class Http2Call implements UpstreamCall, Dispatcher.DispatchHandler {
  readonly #handler: AnswerHandler;
  #controller: Dispatcher.DispatchController | undefined;
  #isAborted = false;

  constructor(handler: AnswerHandler) {
    this.#handler = handler;
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  abort(): void {
    this.#isAborted = true;
    this.#controller?.abort(new Error("abandoned"));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isAborted) this.abort();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200 || this.#isAborted) return;
    const rawHeaders = rawHeadersOf(controller, headers);
    this.#handler.onHead({ status, rawHeaders, contentType: String(headers["content-type"] ?? "") });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#isAborted) this.#handler.onData(chunk);
  }

  onResponseEnd(): void {
    if (!this.#isAborted) this.#handler.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (!this.#isAborted) this.#handler.onError(error);
  }
}

function bodyOf({ body, source }: OutgoingRequest): Buffer | Readable | null {
  if (source !== undefined) return readableOf(source);
  return body.length <= 1 ? (body[0] ?? null) : (replay(body) as unknown as Buffer);
}

/** A stream that asks the source for more when it is read. */
function readableOf(source: BodySource): Readable {
  let hasBegun = false;
  const stream: Readable = new Readable({
    read: () => {
      if (hasBegun) {
        source.drained();
        return;
      }
      hasBegun = true;
      source.flowInto({ write: (chunk) => stream.push(chunk), end: () => void stream.push(null) });
    },
  });
  // Its request has heard of whatever it was.
  stream.on("error", () => {});
  return stream;
}

/** undici takes an async iterable, not a plain one. */
async function* replay(chunks: readonly Buffer[]): AsyncIterable<Buffer> {
  yield* chunks;
}

/** HTTP/1.1 gives a list, HTTP/2 an object. */
function rawHeadersOf(
  controller: Dispatcher.DispatchController,
  headers: Record<string, string | string[] | undefined>,
): readonly string[] {
  const raw = controller.rawHeaders;
  if (Array.isArray(raw)) return raw.map((part: Buffer | string) => part.toString("latin1"));
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? ""]).flatMap((one) => [name, one]),
  );
}
