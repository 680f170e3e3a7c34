/**
 * The HTTP/1.1 connections of one worker to the upstream: each serves one request at a time, then the next. Worker
 * threads. Finding a free one costs the same with any number of them; nobody queues.
 */
import type { Connector } from "../egress/connector.ts";
import { EgressError } from "../egress/egress-error.ts";
import { KnownTexts } from "../http1/known-texts.ts";
import type { ConnectedCall } from "./connected-call.ts";
import { UpstreamConnection, type ConnectionOwner } from "./upstream-connection.ts";
import { UpstreamError } from "./upstream-error.ts";

export interface ConnectionPoolOptions {
  readonly origin: URL;
  readonly connect: Connector;
  /** Most connections, those being opened included. Beyond it a request fails at once. */
  readonly connectionsMax: number;
  /** How long an unused connection is kept, milliseconds. */
  readonly unusedMs: number;
  /** Largest head of an answer, bytes. */
  readonly headBytesMax: number;
}

/** Read at once from one connection, bytes. */
const READ_BYTES_MAX = 65_536;
/** How often connections are looked at for silence, milliseconds: a quarter of the shortest limit, between these. */
const STEP_MS_MIN = 10;
const STEP_MS_MAX = 1_000;
const STEPS_PER_LIMIT = 4;

export class ConnectionPool implements ConnectionOwner, Disposable {
  readonly unusedMs: number;
  readonly headBytesMax: number;
  readonly readBuffer = Buffer.allocUnsafeSlow(READ_BYTES_MAX);
  readonly texts = new KnownTexts();
  readonly #options: ConnectionPoolOptions;
  readonly #connections = new Set<UpstreamConnection>();
  /** The one used last is at the end and used next: what is not needed grows old at the front and is closed. */
  readonly #free: UpstreamConnection[] = [];
  /** Those that send at the end of this turn of the event loop. */
  #sending: UpstreamConnection[] = [];
  #step: NodeJS.Timeout | undefined;
  #stepMs = STEP_MS_MAX;
  #hasEnded = false;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
    this.unusedMs = options.unusedMs;
    this.headBytesMax = options.headBytesMax;
    this.#lookEvery(options.unusedMs);
  }

  /** Tells every failure to the call's handler, never throws; may do so before it returns. */
  dispatch(call: ConnectedCall): void {
    this.#lookEvery(Math.min(call.firstByteMs, call.idleMs));
    const free = this.#free.pop();
    if (free === undefined) {
      this.#open(call);
      return;
    }
    free.take(call);
    // What already waits to be read on it, an end or words nobody asked for, is to be read before the request is sent.
    if (this.#sending.push(free) === 1) setImmediate(this.#sendAll);
  }

  /** Ends every connection at once; their requests fail. */
  [Symbol.dispose](): void {
    this.#hasEnded = true;
    for (const connection of this.#connections) connection.fail(new UpstreamError("SHUT_DOWN"));
  }

  freed(connection: UpstreamConnection): void {
    this.#free.push(connection);
  }

  closed(connection: UpstreamConnection, wasFree: boolean, unsent: ConnectedCall | undefined): void {
    this.#connections.delete(connection);
    // Usually the first: the longest unused are closed first.
    if (wasFree) this.#free.splice(this.#free.indexOf(connection), 1);
    if (this.#connections.size === 0) this.#stopLooking();
    if (unsent !== undefined) this.dispatch(unsent);
  }

  readonly #sendAll = (): void => {
    const sending = this.#sending;
    this.#sending = [];
    for (const connection of sending) connection.send();
  };

  #open(call: ConnectedCall): void {
    const { origin, connect, connectionsMax } = this.#options;
    if (this.#hasEnded || this.#connections.size >= connectionsMax) {
      call.handler.onError(new EgressError("CONNECTIONS_EXHAUSTED"));
      return;
    }
    const connection = new UpstreamConnection(this);
    this.#connections.add(connection);
    this.#step ??= this.#look();
    connection.take(call);
    const { protocol, port } = origin;
    const hostname = origin.hostname.replace(/^\[(.*)\]$/, "$1");
    connect({ protocol, hostname, port, onread: connection.onread }, (error, socket) => {
      if (error === null) connection.attach(socket);
      else connection.fail(error);
    });
  }

  /** Sees to it that a limit of this length is kept to about a quarter of it. */
  #lookEvery(limitMs: number): void {
    const stepMs = Math.min(STEP_MS_MAX, Math.max(STEP_MS_MIN, Math.floor(limitMs / STEPS_PER_LIMIT)));
    if (stepMs >= this.#stepMs) return;
    this.#stepMs = stepMs;
    if (this.#step === undefined) return;
    this.#stopLooking();
    this.#step = this.#look();
  }

  /** One timer for all connections: a timer set and cleared for each request costs as much as reading its answer. */
  #look(): NodeJS.Timeout {
    const stepMs = this.#stepMs;
    return setInterval(() => {
      for (const connection of this.#connections) connection.age(stepMs);
    }, stepMs).unref();
  }

  #stopLooking(): void {
    clearInterval(this.#step);
    this.#step = undefined;
  }
}
