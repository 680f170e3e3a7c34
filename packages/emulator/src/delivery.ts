/**
 * Writes one reply to one client: paced by the shared wheel, held back by a full socket, stopped by gates. Runs on the
 * emulator's thread. Never writes past back-pressure, and never holds a timer of its own.
 */
import { TLSSocket } from "node:tls";
import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { Gate, Reply } from "./reply.ts";
import type { TimerWheel, Wakeable } from "./timer-wheel.ts";
import { BEFORE_HEADERS } from "./transport-faults.ts";

export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** Told what becomes of a delivery; each is called at the moment it happens. */
export interface DeliveryObserver {
  headersSent(status: number): void;
  frameWritten(): void;
  held(delivery: Delivery, ruleId: number): void;
  resumed(delivery: Delivery): void;
  /** Exactly once. `complete` is false when the client left or the connection was broken. */
  ended(delivery: Delivery, complete: boolean): void;
}

export interface DeliveryTools {
  readonly wheel: TimerWheel;
  /** Monotonic clock of the wheel, milliseconds. */
  readonly monotonicMs: () => number;
}

/** `ending`: all is said, the connection is still to close. `closed`: the observer has been told. */
type Progress = "running" | "waiting" | "held" | "ending" | "closed";

export class Delivery implements Wakeable {
  readonly #reply: Reply;
  readonly #response: HttpResponse;
  readonly #observer: DeliveryObserver;
  readonly #tools: DeliveryTools;
  readonly #gates: Gate[];
  #progress: Progress = "waiting";
  /** The next frame to write; {@link BEFORE_HEADERS} until the headers are sent. */
  #position = BEFORE_HEADERS;
  /** The frame being written piece by piece, and how far. */
  #splitFrame: Buffer | undefined;
  #splitOffset = 0;
  #nextDueMs = 0;

  constructor(reply: Reply, response: HttpResponse, observer: DeliveryObserver, tools: DeliveryTools) {
    this.#reply = reply;
    this.#response = response;
    this.#observer = observer;
    this.#tools = tools;
    this.#gates = [...reply.gates];
    // One signature over both protocols' emitters, whose overloads do not unite.
    const emitter: NodeJS.EventEmitter = response;
    emitter.on("close", () => this.#close(response.writableFinished && this.#isComplete));
    emitter.on("error", () => this.#close(false));
  }

  /** True when the body is as long as the headers promised. */
  get #isComplete(): boolean {
    return this.#position >= this.#reply.frameCount;
  }

  /** Goes on after a pause, a full socket or a hold. Harmless when there is nothing to go on with. */
  wake(): void {
    if (this.#progress !== "waiting") return;
    this.#progress = "running";
    while (this.#progress === "running") this.#step();
  }

  /** Lets a held delivery go on. */
  release(): void {
    if (this.#progress !== "held") return;
    this.#progress = "waiting";
    this.#observer.resumed(this);
    this.wake();
  }

  #step(): void {
    const gate = this.#takeGate();
    if (gate !== undefined) return this.#obey(gate);
    if (this.#splitFrame !== undefined) return this.#writePiece(this.#splitFrame);
    if (this.#position === BEFORE_HEADERS) return this.#sendHeaders();
    if (this.#position >= this.#reply.frameCount) return this.#finish();
    const frame = this.#reply.frame(this.#position);
    if (this.#reply.splitBytes === undefined) return this.#writeFrame(frame);
    this.#splitFrame = frame;
    this.#splitOffset = 0;
  }

  #takeGate(): Gate | undefined {
    if (this.#gates.length === 0 || this.#splitFrame !== undefined) return undefined;
    // A gate beyond the last frame stands at the end, so that a short answer meets it too.
    const position = Math.min(this.#position, this.#reply.frameCount);
    const index = this.#gates.findIndex((gate) => Math.min(gate.before, this.#reply.frameCount) === position);
    return index < 0 ? undefined : this.#gates.splice(index, 1)[0];
  }

  #obey({ action }: Gate): void {
    switch (action.kind) {
      case "hold":
        this.#progress = "held";
        return this.#observer.held(this, action.ruleId);
      case "delay":
        this.#progress = "waiting";
        return this.#tools.wheel.schedule(this, this.#tools.monotonicMs() + action.delayMs);
      case "reset":
        this.#progress = "ending";
        return resetAfterFlush(this.#response);
    }
  }

  #sendHeaders(): void {
    const { status, headers, contentLength, frameCount } = this.#reply;
    const length = contentLength === undefined ? {} : { "content-length": String(contentLength) };
    const all = { ...headers, ...length } as Record<string, string | string[]>;
    (this.#response as ServerResponse).writeHead(status, all);
    // A stream's headers go at once; a whole answer rather travels in one packet with them.
    if (contentLength === undefined || this.#gates.length > 0 || frameCount === 0)
      flushHeaders(this.#response);
    this.#position = 0;
    this.#nextDueMs = this.#tools.monotonicMs();
    this.#observer.headersSent(status);
  }

  #writeFrame(frame: Buffer): void {
    const hasRoom = write(this.#response, frame);
    this.#frameDone();
    if (this.#progress !== "running" || this.#position >= this.#reply.frameCount) return;
    if (!hasRoom) {
      this.#progress = "waiting";
      (this.#response as ServerResponse).once("drain", () => this.wake());
    } else if (this.#reply.intervalMs > 0) {
      this.#pause();
    }
  }

  /**
   * Writes some bytes of a frame and waits until they have left and the event loop has turned, so that they arrive as
   * a read of their own, also at a client in this very thread.
   */
  #writePiece(frame: Buffer): void {
    const end = this.#splitOffset + (this.#reply.splitBytes ?? frame.length);
    const piece = frame.subarray(this.#splitOffset, end);
    this.#splitOffset = end;
    if (end >= frame.length) {
      this.#splitFrame = undefined;
      this.#frameDone();
    }
    this.#progress = "waiting";
    write(this.#response, piece, () => setImmediate(() => this.wake()));
  }

  #frameDone(): void {
    this.#position += 1;
    this.#observer.frameWritten();
  }

  #pause(): void {
    this.#nextDueMs = Math.max(this.#nextDueMs + this.#reply.intervalMs, this.#tools.monotonicMs());
    this.#progress = "waiting";
    this.#tools.wheel.schedule(this, this.#nextDueMs);
  }

  #finish(): void {
    this.#progress = "ending";
    const promised = this.#reply.contentLength;
    // A client kept waiting for bytes that will not come must see the connection close.
    if (promised !== undefined && this.#reply.frameCount > 0 && promised !== this.#written()) {
      return closeAfterFlush(this.#response);
    }
    this.#response.end();
  }

  #written(): number {
    let bytes = 0;
    for (let index = 0; index < this.#reply.frameCount; index += 1) bytes += this.#reply.frame(index).length;
    return bytes;
  }

  #close(complete: boolean): void {
    if (this.#progress === "closed") return;
    this.#progress = "closed";
    this.#observer.ended(this, complete);
  }
}

/** One signature over both protocols' `write`. */
function write(response: HttpResponse, bytes: Buffer, flushed?: () => void): boolean {
  return (response as ServerResponse).write(bytes, flushed === undefined ? undefined : () => flushed());
}

function flushHeaders(response: HttpResponse): void {
  if ("stream" in response) return; // HTTP/2 sends a HEADERS frame at once.
  response.flushHeaders();
}

/** RST on HTTP/1.1, a stream error on HTTP/2, after what was written has left the process. */
function resetAfterFlush(response: HttpResponse): void {
  if ("stream" in response) {
    response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return;
  }
  const { socket } = response;
  // A TLS socket cannot be reset: its end without a farewell is as abrupt to the reader.
  socket?.write("", () => (socket instanceof TLSSocket ? socket.destroy() : socket.resetAndDestroy()));
}

/** Closes the connection in order, in the middle of a body. */
function closeAfterFlush(response: HttpResponse): void {
  if ("stream" in response) {
    response.stream.end();
    return;
  }
  const { socket } = response;
  socket?.write("", () => socket.destroySoon());
}
