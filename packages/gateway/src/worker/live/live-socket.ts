/**
 * One end of a Live session: a WebSocket with its back-pressure, its pings and its end. Worker threads.
 * Knows nothing of Gemini. Messages keep their kind and their order; nothing is compressed.
 */
import type { RawData, WebSocket } from "ws";

export interface LiveSocketEvents {
  /** The bytes are the receiver's to keep. */
  message(data: Buffer, isBinary: boolean): void;
  /** What waited has been taken: the other end may go on. */
  drained(): void;
  /** Exactly once; nothing is told afterwards. Code 1006 when the connection just ended. */
  closed(code: number, reason: string): void;
}

/** How an end fares, as the sweep finds it. */
export type Vitality = "alive" | "dead" | "stalled";

export interface VitalityOptions {
  /** Silence after which it is asked whether it lives, milliseconds. */
  readonly pingMs: number;
  /** Longest time in which nothing of what waits for it is taken, milliseconds. */
  readonly stallMs: number;
}

/** Bytes that wait for an end before the other one is paused, and below which it goes on. */
const WAITING_BYTES_HIGH = 262_144;
const WAITING_BYTES_LOW = 65_536;
/** Pings without any answer after which nobody is there. */
const PINGS_UNANSWERED_MAX = 3;

/** How a connection is spoken on both sides: no compression, and a bound on what a message may be. */
export function socketOptions(messageBytesMax: number): {
  readonly perMessageDeflate: false;
  readonly maxPayload: number;
  readonly closeTimeout: number;
} {
  return { perMessageDeflate: false, maxPayload: messageBytesMax, closeTimeout: CLOSE_TIMEOUT_MS };
}

/** How long the other side has to take what was sent before a close frame, and to answer it, milliseconds. */
const CLOSE_TIMEOUT_MS = 10_000;

export class LiveSocket {
  bytesIn = 0;
  bytesOut = 0;
  readonly #socket: WebSocket;
  readonly #now: () => number;
  #events: LiveSocketEvents | undefined;
  #heardAtMs: number;
  #pings = 0;
  /** Since when the other end is held back for this one; 0 while it is not. */
  #fullSinceMs = 0;

  constructor(socket: WebSocket, events: LiveSocketEvents, now: () => number) {
    this.#socket = socket;
    this.#events = events;
    this.#now = now;
    this.#heardAtMs = now();
    socket.on("message", (data, isBinary) => this.#take(data, isBinary));
    socket.on("ping", () => this.#heard());
    socket.on("pong", () => this.#heard());
    // What was wrong is told by the close that follows: an error's own words may name addresses.
    socket.on("error", () => {});
    socket.on("close", (code, reason) => this.#close(code, reason.toString("utf8")));
  }

  /** False when it takes no more for now: `drained` will tell. Does nothing once it closes. */
  send(data: Buffer | string, isBinary: boolean): boolean {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return true;
    this.bytesOut += data.length;
    socket.send(data, { binary: isBinary, compress: false }, this.#written);
    if (this.#fullSinceMs === 0 && socket.bufferedAmount > WAITING_BYTES_HIGH)
      this.#fullSinceMs = this.#now();
    return this.#fullSinceMs === 0;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
    // Its pongs could not be heard meanwhile.
    this.#heard();
  }

  /** Says goodbye behind what has been sent; does not wait longer than a moment for an answer. Code 1005: without one. */
  close(code: number, reason: string): void {
    // A paused socket would never hear the answer.
    this.#socket.resume();
    if (code === 1005) this.#socket.close();
    else this.#socket.close(code, reason);
  }

  /** Ends the connection at once. */
  cut(): void {
    this.#socket.terminate();
  }

  /** Nothing more is told of it. */
  mute(): void {
    this.#events = undefined;
  }

  /** To be asked now and then; sends a ping when it is time for one. */
  vitality({ pingMs, stallMs }: VitalityOptions, nowMs: number): Vitality {
    if (this.#fullSinceMs > 0 && nowMs - this.#fullSinceMs > stallMs) return "stalled";
    const socket = this.#socket;
    // While it is not read, it cannot be heard.
    if (socket.isPaused || socket.readyState !== socket.OPEN) return "alive";
    if (nowMs - this.#heardAtMs < pingMs * (this.#pings + 1)) return "alive";
    if (this.#pings >= PINGS_UNANSWERED_MAX) return "dead";
    this.#pings += 1;
    socket.ping();
    return "alive";
  }

  #heard(): void {
    this.#heardAtMs = this.#now();
    this.#pings = 0;
  }

  #take(data: RawData, isBinary: boolean): void {
    this.#heard();
    // Its binaryType is left at Buffers.
    const bytes = data as Buffer;
    this.bytesIn += bytes.length;
    this.#events?.message(bytes, isBinary);
  }

  /** One function for all messages. */
  readonly #written = (): void => {
    if (this.#fullSinceMs === 0) return;
    const waiting = this.#socket.bufferedAmount;
    if (waiting > WAITING_BYTES_LOW) {
      // Slow, but it takes something.
      this.#fullSinceMs = this.#now();
      return;
    }
    this.#fullSinceMs = 0;
    this.#events?.drained();
  };

  #close(code: number, reason: string): void {
    const events = this.#events;
    this.#events = undefined;
    events?.closed(code, reason);
  }
}
