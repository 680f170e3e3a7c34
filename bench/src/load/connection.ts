/**
 * One HTTP/1.1 connection to a contender, over node:net: thousands of them must cost the load process little, for it
 * shares the machine with what it measures. Load process. It answers a failure by its event, never by an exception.
 */
import { connect, type Socket } from "node:net";
import { AnswerReader } from "./answer-reader.ts";
import type { Target } from "./protocol.ts";

/** Told of what becomes of the request sent last. */
export interface ConnectionListener {
  /** Bytes came; look at the reader. */
  progressed(connection: Connection): void;
  /** The connection is gone, or what came is no answer. Once. */
  closed(connection: Connection): void;
}

/**
 * Bytes read at once. Shared by all connections of the process: what came has been read to its end when the callback
 * returns, so that no connection needs a buffer, or a stream in front of it, of its own.
 */
const READ_BUFFER = Buffer.allocUnsafe(64 * 1024);

export class Connection {
  readonly reader = new AnswerReader();
  readonly #socket: Socket;
  readonly #listener: ConnectionListener;
  #isClosed = false;
  /** When the request was sent, milliseconds of the monotonic clock. */
  sentAtMs = 0;
  /** Whether the sender is done with the answer; for it to keep. */
  isDone = false;

  constructor(target: Target, listener: ConnectionListener) {
    const { hostname, port } = new URL(target.origin);
    this.#listener = listener;
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: { buffer: READ_BUFFER, callback: (bytes) => this.#take(bytes) },
    });
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      listener.closed(this);
    });
    this.#socket.on("end", () => this.#socket.destroy());
  }

  /** Resolves when the connection stands, or has failed. */
  opened(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once("connect", resolve);
    this.#socket.once("close", () => resolve());
    return promise;
  }

  /** Sends one request; the answer of the one before must be complete. */
  send(request: Buffer): void {
    this.reader.reset();
    this.sentAtMs = performance.now();
    this.#socket.write(request);
  }

  destroy(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  /** Always true: more may come at once. */
  #take(bytes: number): boolean {
    if (this.#isClosed) return true;
    this.reader.take(READ_BUFFER.toString("latin1", 0, bytes));
    if (this.reader.state === "broken") this.#socket.destroy();
    else this.#listener.progressed(this);
    return true;
  }
}

/** The bytes of a request, built once for all that are sent. */
export function requestBytesOf(target: Target): Buffer {
  const headers = { host: new URL(target.origin).host, ...target.headers };
  const head = [
    `POST ${target.path} HTTP/1.1`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(target.body)}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${target.body}`);
}
