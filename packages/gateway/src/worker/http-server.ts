/**
 * The HTTP listener of a worker thread: its limits and its time-outs. Worker threads. Knows nothing of Gemini; what is
 * not HTTP goes to broken-requests.ts.
 */
import { Server, type IncomingMessage, type ServerOptions, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { GatewayConfig } from "../config.ts";
import { BrokenRequests } from "./broken-requests.ts";
import { LatestResponses } from "./latest-responses.ts";
import type { RequestIds } from "./request-ids.ts";

/** How often node looks for requests that are late, milliseconds. */
const LATE_CHECK_MS = 1000;
const HEADERS_COUNT_MAX = 200;

type Receive = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * node takes a connection for idle once its answer is ended, though bytes of it may still wait for a slow client, or the
 * next answer for its turn. While there are any such, none is closed: draining asks again soon.
 */
class PatientServer extends Server {
  readonly latest = new LatestResponses(this);

  override closeIdleConnections(): void {
    if (!this.latest.isAnyOnItsWayOut) super.closeIdleConnections();
  }
}

export function createHttpServer(config: GatewayConfig, requestIds: RequestIds, receive: Receive): Server {
  const server = new PatientServer(serverOptions(config));
  server.maxConnections = config.limits.connections;
  server.maxHeadersCount = HEADERS_COUNT_MAX;
  server.timeout = config.timeouts.clientStallMs;
  const broken = new BrokenRequests(requestIds, server.latest);
  const open: Receive = (request, response) => {
    server.latest.watch(response);
    response.on("timeout", cutIfStalled);
    receive(request, response);
  };
  server.on("request", open);
  server.on("checkContinue", (request, response) => {
    // Leave is given when somebody begins to read: a request turned away by its head never sends its body.
    request.once("resume", () => {
      if (!response.headersSent) response.writeContinue();
    });
    open(request, response);
  });
  // Other expectations are unknown to everybody, the upstream included: they are not passed on.
  server.on("checkExpectation", open);
  server.on("connect", (_request, socket) => broken.refuse(socket as Socket, "method-not-allowed"));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => broken.receive(error, socket as Socket));
  return server;
}

function serverOptions({ limits, timeouts }: GatewayConfig): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: timeouts.clientHeadersMs,
    requestTimeout: timeouts.clientBodyMs,
    keepAliveTimeout: timeouts.clientIdleMs,
    connectionsCheckingInterval: LATE_CHECK_MS,
    noDelay: true,
    insecureHTTPParser: false,
    // The front door asks for it, so that the answer has Google's shape.
    requireHostHeader: false,
  };
}

/**
 * Called when nothing moved on the connection for `timeouts.clientStall`. Waiting for the upstream is no fault of the
 * client's; not taking what is ready for it is. One timer list of node's serves all connections of the thread.
 */
function cutIfStalled(socket: Socket): void {
  if (socket.writableLength > 0) socket.destroy();
}
