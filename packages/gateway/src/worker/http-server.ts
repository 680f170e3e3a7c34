/**
 * The HTTP listener of a worker thread: its limits and its time-outs. Worker threads. Knows nothing of Gemini; what is
 * not HTTP goes to broken-requests.ts.
 */
import { Server, type IncomingMessage, type ServerOptions, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { GatewayConfig } from "../config.ts";
import { BrokenRequests } from "./broken-requests.ts";
import type { ClientCall } from "./client/client-call.ts";
import { FastListener } from "./client/fast-listener.ts";
import { LateBodies } from "./client/late-bodies.ts";
import { NodeCall } from "./client/node-call.ts";
import { LatestResponses } from "./latest-responses.ts";
import type { RequestIds } from "./request-ids.ts";

/** How often node looks for requests that are late, milliseconds. */
const LATE_CHECK_MS = 1000;
export const HEADERS_COUNT_MAX = 200;

/** node has asked `shouldUpgradeCallback` since 24.9. */
const [NODE_MAJOR = 0, NODE_MINOR = 0] = process.versions.node.split(".").map(Number);
const CAN_CHOOSE_UPGRADES = NODE_MAJOR > 24 || (NODE_MAJOR === 24 && NODE_MINOR >= 9);

type Receive = (call: ClientCall) => void;

/** Takes connections that stop speaking HTTP. */
export interface UpgradeTaker {
  /** Whether this request is to be taken; else it is served as if it had not asked. */
  wants(request: IncomingMessage): boolean;
  /** @param head what came behind the request */
  take(request: IncomingMessage, socket: Socket, head: Buffer): void;
}

export interface ServerParts {
  readonly receive: Receive;
  readonly live: UpgradeTaker;
}

/**
 * One listener of two ways to serve: every connection begins with the gateway's own reader, and goes over to node:http for
 * good when that finds it not plainly good. Both count for the limit of connections, and close together.
 */
class ClientServer extends Server {
  readonly latest = new LatestResponses(this);
  fast: FastListener | undefined;

  /**
   * node takes a connection for idle once its answer is ended, though bytes of it may still wait for a slow client, or
   * the next answer for its turn. While there are any such, none is closed: draining asks again soon.
   */
  override closeIdleConnections(): void {
    this.fast?.closeIdle();
    if (!this.latest.isAnyOnItsWayOut) super.closeIdleConnections();
  }

  override closeAllConnections(): void {
    this.fast?.closeAll();
    super.closeAllConnections();
  }
}

export function createHttpServer(config: GatewayConfig, requestIds: RequestIds, parts: ServerParts): Server {
  const { receive, live } = parts;
  const shouldUpgradeCallback = (request: IncomingMessage): boolean => live.wants(request);
  const server = new ClientServer({ ...serverOptions(config), shouldUpgradeCallback });
  server.maxConnections = config.limits.connections;
  server.maxHeadersCount = HEADERS_COUNT_MAX;
  server.timeout = config.timeouts.clientStallMs;
  const broken = new BrokenRequests(requestIds, server.latest);
  const late = new LateBodies(config.timeouts.clientBodyMs, ({ socket }) => broken.late(socket));
  serveByNode(server, { broken, late, receive });
  // An older node would take every request that mentions an upgrade for one, and those of HTTP/2 are many.
  if (CAN_CHOOSE_UPGRADES) {
    server.on("upgrade", (request, socket, head) => live.take(request, socket as Socket, head));
  }
  serveFast(server, broken, config, receive);
  return server;
}

interface NodeParts {
  readonly broken: BrokenRequests;
  readonly late: LateBodies;
  readonly receive: Receive;
}

function serveByNode(server: ClientServer, { broken, late, receive }: NodeParts): void {
  const open = (request: IncomingMessage, response: ServerResponse): void => {
    server.latest.watch(response);
    response.on("timeout", cutIfStalled);
    const call = new NodeCall(request, response);
    late.watch(request, call);
    receive(call);
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
}

/** Puts the gateway's own reader before node's listeners of new connections, which get what it hands over. */
function serveFast(
  server: ClientServer,
  broken: BrokenRequests,
  config: GatewayConfig,
  receive: Receive,
): void {
  const byNode = server.listeners("connection") as ((socket: Socket) => void)[];
  server.removeAllListeners("connection");
  const fast = new FastListener(config, {
    headersMax: HEADERS_COUNT_MAX,
    wallClock: Date.now,
    receive,
    handOver: (socket, bytes) => {
      socket.pause();
      socket.unshift(bytes);
      for (const listener of byNode) listener.call(server, socket);
      process.nextTick(() => socket.resume());
    },
    refuse: (socket) => broken.refuse(socket, "unfinished-request"),
  });
  server.fast = fast;
  server.on("connection", (socket: Socket) => fast.accept(socket));
}

/** How node:http is to read; what the gateway's own reader accepts has the same meaning to it. */
export function serverOptions({ limits, timeouts }: GatewayConfig): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: timeouts.clientHeadersMs,
    // Heads are late by node's own watch, bodies by ours.
    requestTimeout: 0,
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
