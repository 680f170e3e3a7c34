/**
 * One request that node:http took in, and its answer. Worker threads. Everything that is not plainly good comes by here:
 * chunked bodies, HTTP/1.0, absolute targets, expectations, upgrades, and what is malformed further on.
 */
import { formatAddress, parseAddress } from "@gemini-gateway/core/network/address";
import type { IncomingMessage, ServerResponse } from "node:http";
import { discardRest } from "../unread-body.ts";
import type { BodyFault, BodyReader, ClientCall, ClientWatcher, Peer } from "./client-call.ts";
import type { BodyProgress } from "./late-bodies.ts";

/** Emitted on a request, with a {@link BodyFault}, by whoever learns that the rest of its body will not come. */
export const BODY_BROKEN_EVENT = Symbol("body broken");

/** What a client puts before the path when it takes the gateway for a proxy (RFC 9112, 3.2.2). */
const ABSOLUTE_FORM_START = /^https?:\/\/[^/?#]*/i;

export class NodeCall implements ClientCall, BodyProgress {
  readonly method: string;
  readonly target: string;
  readonly declaredBytes: number;
  readonly lacksHost: boolean;
  isPatient = false;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    const { headers, httpVersion } = request;
    this.#request = request;
    this.#response = response;
    this.method = request.method ?? "GET";
    this.target = originForm(request.url ?? "/");
    this.declaredBytes = Number(headers["content-length"] ?? 0);
    this.lacksHost = headers.host === undefined && httpVersion !== "1.0";
  }

  get rawHeaders(): readonly string[] {
    return this.#request.rawHeaders;
  }

  get peer(): Peer {
    return peerOf(this.#request);
  }

  get awaitsLeave(): boolean {
    return this.#request.headers.expect !== undefined && !this.#request.complete;
  }

  readBody(reader: BodyReader): void {
    const request = this.#request;
    this.isPatient = reader.isPatient === true;
    const onData = (chunk: Buffer): void => {
      this.#hasMoved = true;
      reader.bodyChunk(chunk);
    };
    const stop = (): void => {
      request.off("data", onData).off("end", onEnd).off(BODY_BROKEN_EVENT, onBroken);
      this.#stopReading = undefined;
    };
    const onEnd = (): void => {
      stop();
      reader.bodyEnded();
    };
    const onBroken = (fault: BodyFault): void => {
      stop();
      reader.bodyBroken(fault);
    };
    this.#stopReading?.();
    this.#stopReading = stop;
    request.on("data", onData).on("end", onEnd).on(BODY_BROKEN_EVENT, onBroken);
  }

  #stopReading: (() => void) | undefined;
  #hasMoved = false;

  hasMoved(): boolean {
    const hasMoved = this.#hasMoved;
    this.#hasMoved = false;
    return hasMoved;
  }

  pauseBody(): void {
    this.#request.pause();
  }

  resumeBody(): void {
    this.#request.resume();
  }

  discardBody(): void {
    this.#stopReading?.();
    this.isPatient = false;
    discardRest(this.#request);
  }

  get hasBegun(): boolean {
    return this.#response.headersSent;
  }

  get isLost(): boolean {
    return this.#response.destroyed;
  }

  closeAfterwards(): void {
    this.#response.shouldKeepAlive = false;
  }

  watch(watcher: ClientWatcher): void {
    const response = this.#response;
    response.on("close", () => {
      if (!response.writableFinished) watcher.clientLeft();
    });
    response.on("drain", () => watcher.clientDrained());
  }

  begin(status: number, headers: readonly string[]): void {
    this.#response.writeHead(status, headers as string[]);
  }

  flushHead(): void {
    this.#response.flushHeaders();
  }

  write(chunk: Buffer): boolean {
    // node:http writes when it likes, from the very memory that it is given.
    return this.#response.write(Buffer.from(chunk));
  }

  end(last: Buffer | string): void {
    this.#response.end(last);
  }

  send(status: number, headers: readonly string[], body: Buffer | string): void {
    this.begin(status, headers);
    this.#response.end(body);
  }

  cut(): void {
    this.#response.destroy();
  }
}

/** Who sent a request that node:http read. */
export function peerOf({ socket: { remoteAddress } }: IncomingMessage): Peer {
  const address = remoteAddress === undefined ? undefined : parseAddress(remoteAddress);
  return { address, text: address === undefined ? (remoteAddress ?? "") : formatAddress(address) };
}

/** A request's target without what a client puts before it that takes the gateway for a proxy. */
export function originForm(target: string): string {
  if (target.startsWith("/")) return target;
  const path = target.replace(ABSOLUTE_FORM_START, "");
  return path === "" || path.startsWith("?") ? `/${path}` : path;
}
