/**
 * Bytes that are no HTTP request, or stop being one: each connection gets one clean answer, unless it would land inside
 * another. Worker threads. Costs no key; nothing of the bytes is logged.
 */
import type { ErrorCode } from "@gemini-gateway/core/error-codes";
import { STATUS_CODES, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { BodyFault } from "./client/client-call.ts";
import { BODY_BROKEN_EVENT } from "./client/node-call.ts";
import type { LatestResponses } from "./latest-responses.ts";
import { ownAnswer } from "./own-answer.ts";
import type { RequestIds } from "./request-ids.ts";
import { LINGER_MS } from "./unread-body.ts";

export class BrokenRequests {
  readonly #requestIds: RequestIds;
  readonly #latest: LatestResponses;
  /** Connections of which nothing more is read: the parser complains about each further byte. */
  readonly #closing = new WeakSet<Socket>();

  constructor(requestIds: RequestIds, latest: LatestResponses) {
    this.#requestIds = requestIds;
    this.#latest = latest;
  }

  /** Takes what node reports as `clientError`. */
  receive(error: NodeJS.ErrnoException, socket: Socket): void {
    if (this.#closing.has(socket)) return;
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const response = this.#latest.of(socket);
    if (response === undefined || response.writableFinished) this.refuse(socket, codeOf(error));
    else this.#interrupt(socket, response, bodyFaultOf(error));
  }

  /** The body of the request that is served on this connection does not come in time. */
  late(socket: Socket): void {
    this.receive(Object.assign(new Error(), { code: "ERR_HTTP_REQUEST_TIMEOUT" }), socket);
  }

  /** Writes one of the gateway's own errors to a connection that has no response of node's, and ends it. */
  refuse(socket: Socket, code: ErrorCode): void {
    this.#closing.add(socket);
    const { status, body, headers } = ownAnswer(code, "native");
    const flat = [...headers, "x-request-id", this.#requestIds.next(), "connection", "close"];
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
    for (let at = 0; at + 1 < flat.length; at += 2) head += `${flat[at]}: ${flat[at + 1]}\r\n`;
    socket.end(`${head}\r\n${body}`);
    // Read on for a while, so that the answer arrives before the reset; then let go, whatever the client does.
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    timer.unref();
    socket.once("close", () => clearTimeout(timer));
    socket.resume();
  }

  /** A request is being served on this connection while what it sends makes no sense, or does not come. */
  #interrupt(socket: Socket, response: ServerResponse, fault: BodyFault): void {
    if (response.req.complete) {
      // Nonsense after a whole request: that one is still answered.
      this.#closing.add(socket);
      response.shouldKeepAlive = false;
    } else if (!response.headersSent && response.req.emit(BODY_BROKEN_EVENT, fault)) {
      this.#closing.add(socket);
    } else {
      socket.destroy();
    }
  }
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: "headers-too-large",
  ERR_HTTP_REQUEST_TIMEOUT: "unfinished-request",
  // The client closed its side in the middle of a request.
  HPE_INVALID_EOF_STATE: "unfinished-request",
};

function codeOf({ code }: NodeJS.ErrnoException): ErrorCode {
  return CODES[code ?? ""] ?? "malformed-request";
}

function bodyFaultOf(error: NodeJS.ErrnoException): BodyFault {
  return codeOf(error) === "unfinished-request" ? "unfinished-request" : "malformed-request";
}
