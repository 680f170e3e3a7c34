/**
 * All client connections of a worker that are served without node:http: joins each socket to its connection, and sweeps
 * over them for what has waited too long. Worker threads. One timer for all; no function made per connection.
 */
import type { Socket } from "node:net";
import type { GatewayConfig } from "../../config.ts";
import { AnswerBuffer, AnswerHeads } from "../../http1/answer-bytes.ts";
import { KnownTexts } from "../../http1/known-texts.ts";
import type { ClientCall } from "./client-call.ts";
import { FastConnection, type FastConnectionOptions, type SweepClock } from "./fast-connection.ts";

/** How often connections are looked at that may be late, milliseconds: the coarseness of their time-outs. */
const SWEEP_MS = 500;

/** Longer than clients are told: one that asks again at the last moment is still heard, milliseconds. */
const IDLE_MARGIN_MS = 1000;

const CONNECTION = Symbol("fast connection");
const LISTENER = Symbol("fast listener");

interface JoinedSocket extends Socket {
  [CONNECTION]: FastConnection;
  [LISTENER]: FastListener;
}

export interface FastListenerOptions {
  readonly headersMax: number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly receive: (call: ClientCall) => void;
  /** Serves the connection from here on by node:http; `bytes` are the next it is to read. */
  readonly handOver: (socket: Socket, bytes: Buffer) => void;
  /** Tells a client that sent nothing in time, and ends the connection. */
  readonly refuse: (socket: Socket) => void;
}

export class FastListener {
  readonly #connections = new Set<FastConnection>();
  readonly #clock: SweepClock = { tick: 1 };
  readonly #shared: FastConnectionOptions;

  constructor({ limits, timeouts }: GatewayConfig, options: FastListenerOptions) {
    const { headersMax, wallClock, receive, handOver, refuse } = options;
    this.#shared = {
      heads: new AnswerHeads({ idleSeconds: Math.floor(timeouts.clientIdleMs / 1000), wallClock }),
      buffer: new AnswerBuffer(),
      texts: new KnownTexts(),
      headBytesMax: limits.headerBytes,
      headersMax,
      stallMs: timeouts.clientStallMs,
      headTicks: ticksOf(timeouts.clientHeadersMs),
      bodyTicks: ticksOf(timeouts.clientBodyMs),
      idleTicks: ticksOf(timeouts.clientIdleMs + IDLE_MARGIN_MS),
      clock: this.#clock,
      receive,
      handOver: (socket, bytes) => {
        this.#part(socket as JoinedSocket);
        handOver(socket, bytes);
      },
      refuse,
    };
    setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  accept(socket: Socket): void {
    const joined = socket as JoinedSocket;
    const connection = new FastConnection(socket, this.#shared);
    joined[CONNECTION] = connection;
    joined[LISTENER] = this;
    this.#connections.add(connection);
    joined.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onError);
    joined.on("drain", onDrain).on("timeout", onTimeout);
  }

  /** Closes those that wait for a request, as node does: the first or the next. */
  closeIdle(): void {
    for (const connection of this.#connections) if (connection.isIdle) connection.cut();
  }

  closeAll(): void {
    for (const connection of this.#connections) connection.cut();
  }

  /** It has closed, or is somebody else's now. */
  forget(connection: FastConnection): void {
    this.#connections.delete(connection);
  }

  #part(socket: JoinedSocket): void {
    this.forget(socket[CONNECTION]);
    socket.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onError);
    socket.off("drain", onDrain).off("timeout", onTimeout);
  }

  #sweep(): void {
    this.#clock.tick += 1;
    for (const connection of this.#connections) connection.sweep();
  }
}

/** One more than the time has: the first may be over at once. */
function ticksOf(milliseconds: number): number {
  return Math.ceil(milliseconds / SWEEP_MS) + 1;
}

function onData(this: Socket, chunk: Buffer): void {
  (this as JoinedSocket)[CONNECTION].received(chunk);
}

function onEnd(this: Socket): void {
  (this as JoinedSocket)[CONNECTION].ended();
}

function onDrain(this: Socket): void {
  (this as JoinedSocket)[CONNECTION].drained();
}

function onTimeout(this: Socket): void {
  (this as JoinedSocket)[CONNECTION].stalled();
}

/** The socket closes of itself after an error, and that is told. */
function onError(): void {}

function onClose(this: Socket): void {
  const { [CONNECTION]: connection, [LISTENER]: listener } = this as JoinedSocket;
  listener.forget(connection);
  connection.closed();
}
