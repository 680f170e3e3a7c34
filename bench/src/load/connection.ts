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

export class Connection {
  readonly reader = new AnswerReader();
  readonly #socket: Socket;
  #isClosed = false;
  /** When the request was sent, milliseconds of the monotonic clock. */
  sentAtMs = 0;
  /** Whether the answer has been timed; for the sender to keep. */
  isTimed = false;

  constructor(target: Target, listener: ConnectionListener) {
    const { hostname, port } = new URL(target.origin);
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const close = (): void => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      listener.closed(this);
    };
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text) => {
      this.reader.take(String(text));
      if (this.reader.state === "broken") this.#socket.destroy();
      else listener.progressed(this);
    });
    this.#socket.on("error", () => {});
    this.#socket.on("close", close);
    this.#socket.on("end", () => this.#socket.destroy());
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
