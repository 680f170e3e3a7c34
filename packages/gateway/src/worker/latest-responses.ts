/** The latest response of each open client connection. Worker threads. At most one entry a connection. */
import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export class LatestResponses {
  readonly #latest = new Map<Socket, ServerResponse>();

  constructor(server: Server) {
    server.on("connection", (socket: Socket) => {
      socket.once("close", () => this.#latest.delete(socket));
    });
  }

  /** To be told of every response before it is answered. */
  watch(response: ServerResponse): void {
    this.#latest.set(response.req.socket, response);
  }

  of(socket: Socket): ServerResponse | undefined {
    return this.#latest.get(socket);
  }

  /** True while the last bytes of some answer wait for their client, or an answer waits for the one before it. */
  get isAnyOnItsWayOut(): boolean {
    return this.#latest.values().some(isOnItsWayOut);
  }
}

function isOnItsWayOut(response: ServerResponse): boolean {
  if (response.writableFinished || response.destroyed) return false;
  return response.writableEnded || response.socket === null;
}
