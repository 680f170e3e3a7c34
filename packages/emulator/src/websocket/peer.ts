/**
 * One WebSocket connection of the server, from the accepted handshake to the closed socket: messages in and out, pings
 * answered, the closing handshake kept. Runs on the emulator's thread. Never buffers without bound.
 */
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { closePayload, frameBytes, OPCODE } from "./frame.ts";
import { MessageReader, ProtocolError } from "./message-reader.ts";
import type { Incoming } from "./message-reader.ts";

/** Bytes that may wait for a slow client; one that takes none for so long is cut off. */
export const WAITING_BYTES_MAX = 32 * 1024 * 1024;
/** How long the client has to answer a close frame, milliseconds. */
const CLOSE_TIMEOUT_MS = 2000;

export interface PeerEvents {
  message(payload: Buffer, isBinary: boolean): void;
  /** Exactly once. `isClean` when both sides closed in order; code 1006 when there was no close frame. */
  closed(code: number, isClean: boolean): void;
}

/** `closing`: we have sent our close frame and wait for the client's. */
type Progress = "open" | "closing" | "closed";

export class WebSocketPeer {
  readonly #socket: Duplex;
  readonly #events: PeerEvents;
  readonly #reader = new MessageReader();
  #progress: Progress = "open";
  #code = 1006;
  #isClean = false;
  #closeTimer: NodeJS.Timeout | undefined;

  constructor(socket: Duplex, events: PeerEvents) {
    this.#socket = socket;
    this.#events = events;
  }

  /** Begins to read; once. @param head what the client sent behind its handshake. */
  start(head: Buffer): void {
    const socket = this.#socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("end", () => socket.end());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#ended());
    if (head.length > 0) this.#read(head);
  }

  /** Google sends JSON in binary frames. */
  sendBinary(payload: Buffer): void {
    this.#write(OPCODE.binary, payload);
  }

  ping(): void {
    this.#write(OPCODE.ping, Buffer.alloc(0));
  }

  /** Says goodbye and waits for the client's, within a bound. */
  close(code: number, reason: string): void {
    if (this.#progress !== "open") return;
    this.#write(OPCODE.close, closePayload(code, reason));
    this.#progress = "closing";
    this.#code = code;
    this.#closeTimer = setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS);
    this.#closeTimer.unref();
  }

  /** Breaks the connection without a word. */
  reset(): void {
    const socket = this.#socket as Partial<Pick<Socket, "resetAndDestroy">> & Duplex;
    if (socket.resetAndDestroy === undefined) socket.destroy();
    else socket.resetAndDestroy();
  }

  #write(opcode: number, payload: Buffer): void {
    if (this.#progress !== "open") return;
    this.#socket.write(frameBytes(opcode, payload));
    if (this.#socket.writableLength > WAITING_BYTES_MAX) this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#progress === "closed") return;
    try {
      for (const incoming of this.#reader.read(chunk)) this.#take(incoming);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.close(error.code, error.message);
    }
  }

  #take(incoming: Incoming): void {
    switch (incoming.kind) {
      case "message":
        if (this.#progress === "open") this.#events.message(incoming.payload, incoming.isBinary);
        return;
      case "ping":
        return this.#write(OPCODE.pong, incoming.payload);
      case "pong":
        return;
      case "close":
        return this.#takeClose(incoming.code);
    }
  }

  #takeClose(code: number): void {
    if (this.#progress === "open") {
      this.#code = code;
      this.#write(OPCODE.close, code === 1005 ? Buffer.alloc(0) : closePayload(code, ""));
    }
    this.#progress = "closing";
    this.#isClean = true;
    this.#socket.end();
  }

  #ended(): void {
    if (this.#progress === "closed") return;
    this.#progress = "closed";
    clearTimeout(this.#closeTimer);
    this.#events.closed(this.#code, this.#isClean);
  }
}
