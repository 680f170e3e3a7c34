/**
 * The HTTP/1.1 connections of one worker to the upstream: each serves one request at a time, then the next. Worker
 * threads. undici's own Pool looks for a free connection one by one: with thousands of streams open that search costs
 * more than the request (docs/decisions/0021-upstream-connections.md). Here finding one costs the same with any number.
 */
import { Client, type Dispatcher } from "undici";
import { EgressError } from "../egress/egress-error.ts";

export interface ConnectionPoolOptions {
  readonly origin: string;
  readonly client: Client.Options;
  /** Most connections, those being opened and closed included. Beyond it a request fails at once: nobody queues. */
  readonly connectionsMax: number;
}

/** A connection, or the place of one that is opened with its next request. */
interface Connection {
  readonly client: Client;
  isFree: boolean;
  /** Takes no further request; ends when the one it has is over. */
  isRetired: boolean;
}

export class ConnectionPool implements AsyncDisposable {
  readonly #options: ConnectionPoolOptions;
  readonly #connections = new Set<Connection>();
  /** The one used last is at the end and used next: what is not needed grows old at the front and is closed. */
  readonly #free: Connection[] = [];
  #hasEnded = false;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Tells every failure to the handler, never throws; may do so before it returns. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    const connection = this.#free.pop() ?? this.#open();
    if (connection === undefined) {
      handler.onResponseError?.(NO_REQUEST, new EgressError("CONNECTIONS_EXHAUSTED"));
      return;
    }
    connection.isFree = false;
    connection.client.dispatch(options, handler);
    // Refused before it was queued (a header that cannot be sent): no event will tell that the connection is free.
    this.#release(connection);
  }

  /** Ends every connection at once; their requests fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#hasEnded = true;
    this.#free.length = 0;
    await Promise.all([...this.#connections].map(({ client }) => client.destroy()));
    this.#connections.clear();
  }

  #open(): Connection | undefined {
    const { origin, client: clientOptions, connectionsMax } = this.#options;
    if (this.#hasEnded || this.#connections.size >= connectionsMax) return undefined;
    const client = new Client(origin, clientOptions);
    const connection = { client, isFree: false, isRetired: false };
    client.on("drain", () => this.#release(connection));
    client.on("disconnect", () => this.#retire(connection));
    client.on("connectionError", () => this.#retire(connection));
    this.#connections.add(connection);
    return connection;
  }

  #release(connection: Connection): void {
    // A "drain" may come late, when the connection already has its next request.
    if (connection.isFree || connection.isRetired || connection.client.stats.size > 0) return;
    connection.isFree = true;
    this.#free.push(connection);
  }

  #retire(connection: Connection): void {
    if (connection.isRetired) return;
    connection.isRetired = true;
    // Usually the first: the longest unused are closed first.
    if (connection.isFree) this.#free.splice(this.#free.indexOf(connection), 1);
    connection.client.close(() => this.#connections.delete(connection));
  }
}

/** What a handler is given where there is no request to control. */
const NO_REQUEST: Dispatcher.DispatchController = {
  aborted: true,
  paused: false,
  reason: null,
  abort: () => {},
  pause: () => {},
  resume: () => {},
};
