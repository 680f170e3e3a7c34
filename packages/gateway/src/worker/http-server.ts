/** The HTTP listener of a worker thread: its limits, its time-outs, and a clean answer to what is not HTTP. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { ErrorCode } from "@gemini-gateway/core/error-codes";
import type { GatewayConfig } from "../config.ts";
import { ownAnswer } from "./own-answer.ts";

/** How often node looks for requests that are late, milliseconds. */
const LATE_CHECK_MS = 1000;
const HEADERS_COUNT_MAX = 200;

export function createHttpServer(
  config: GatewayConfig,
  receive: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const server = createServer(
    {
      maxHeaderSize: config.limits.headerBytes,
      headersTimeout: config.timeouts.clientHeadersMs,
      requestTimeout: config.timeouts.clientBodyMs,
      keepAliveTimeout: config.timeouts.clientIdleMs,
      connectionsCheckingInterval: LATE_CHECK_MS,
      noDelay: true,
      insecureHTTPParser: false,
      requireHostHeader: false,
    },
    receive,
  );
  server.maxConnections = config.limits.connections;
  server.maxHeadersCount = HEADERS_COUNT_MAX;
  server.timeout = 0;
  server.on("clientError", answerBrokenRequest);
  return server;
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: "headers-too-large",
  ERR_HTTP_REQUEST_TIMEOUT: "unfinished-request",
};

/** Answers bytes that are no HTTP request, and closes. Reaches no key and no log line with content. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const { status, body, headers } = ownAnswer(CODES[error.code ?? ""] ?? "malformed-request", "native");
  const lines = [`HTTP/1.1 ${status} ${status === 408 ? "Request Timeout" : "Bad Request"}`, "connection: close"];
  for (let at = 0; at + 1 < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`);
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
}
