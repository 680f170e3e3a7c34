/**
 * One HTTP/1.1 connection to the upstream: serves one request at a time, then the next. Worker threads. Sends, reads,
 * and knows when the connection is good for another request; which one it gets is the pool's to say.
 */
import type { OnReadOpts, Socket } from "node:net";
import type { FramedHead } from "../http1/answer-head.ts";
import { AnswerReader } from "../http1/answer-reader.ts";
import type { KnownTexts } from "../http1/known-texts.ts";
import { egressErrorOf } from "../egress/egress-error.ts";
import type { CallCarrier, ConnectedCall } from "./connected-call.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Bodies up to this size go out in one write with their head, bytes. */
const JOINED_BYTES_MAX = 12_288;
/** A server that names the time it keeps a connection is left this much of it, milliseconds: bytes may be on their way. */
const KEPT_MARGIN_MS = 2_000;

const NOTHING: readonly Buffer[] = [];

/** Who gives connections their requests. */
export interface ConnectionOwner {
  /** How long an unused connection is kept, milliseconds. */
  readonly unusedMs: number;
  /** Where the bytes of all connections are read to, one piece at a time. */
  readonly readBuffer: Buffer;
  /** Largest head of an answer, bytes. */
  readonly headBytesMax: number;
  /** What the headers of all answers are read with. */
  readonly texts: KnownTexts;
  /** It can take the next request. */
  freed(connection: UpstreamConnection): void;
  /** It takes no more requests. `unsent` is what it was given and has not begun to send. */
  closed(connection: UpstreamConnection, wasFree: boolean, unsent: ConnectedCall | undefined): void;
}

/** `waiting`: it has a request that will be sent in a moment. */
type State = "opening" | "free" | "waiting" | "busy" | "closed";

export class UpstreamConnection implements CallCarrier {
  /** How a plain socket reads into the shared memory. */
  readonly onread: OnReadOpts;
  readonly #owner: ConnectionOwner;
  readonly #reader: AnswerReader;
  #state: State = "opening";
  #socket: Socket | undefined;
  /** Never while free or closed; while opening or waiting it may have been broken off. */
  #call: ConnectedCall | undefined;
  /** Chunks of the request's body that were handed to the socket; -1 when there is nothing more to hand over. */
  #chunksSent = -1;
  /** Whether the head of the answer has come, and whether it allows for another request. */
  #answer: "awaited" | "last" | "kept" = "awaited";
  /** How long nothing has moved, counted in steps of {@link age}; milliseconds. */
  #silentMs = 0;
  /** How long it may be unused, milliseconds. */
  #keptMs: number;

  constructor(owner: ConnectionOwner) {
    this.#owner = owner;
    this.#keptMs = owner.unusedMs;
    this.#reader = new AnswerReader(owner.headBytesMax, owner.texts);
    this.onread = {
      buffer: owner.readBuffer,
      callback: (length, bytes) => {
        this.#receive(bytes as Buffer, length);
        return true;
      },
    };
  }

  /** Gives it its next request. One that is open sends it when told to, see {@link send}; else once it is. */
  take(call: ConnectedCall): void {
    call.connection = this;
    this.#call = call;
    if (this.#state === "free") this.#state = "waiting";
  }

  /** It is open, over this socket. */
  attach(socket: Socket): void {
    if (this.#state === "closed") {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#receive(bytes, bytes.length));
    socket.on("drain", () => this.#sendMore());
    socket.on("end", () => this.#ended());
    socket.on("error", (error) => this.fail(egressErrorOf(error)));
    socket.on("close", () => this.fail(new UpstreamError("CONNECTION_CLOSED")));
    this.#state = "waiting";
    this.send();
  }

  /** Sends what it was given, if that has not been broken off meanwhile. */
  send(): void {
    if (this.#state !== "waiting") return;
    const call = this.#call;
    this.#silentMs = 0;
    if (call === undefined) {
      this.#free();
      return;
    }
    const { head, body, bodyBytes } = call;
    this.#state = "busy";
    this.#answer = "awaited";
    this.#reader.begin(call.isHead);
    if (bodyBytes <= JOINED_BYTES_MAX) {
      this.#sentAll(call);
      this.#socket?.write(joined(head, body), "latin1");
      return;
    }
    this.#chunksSent = 0;
    if (call.source !== undefined) {
      this.#socket?.write(head, "latin1");
      call.source.flowInto(call);
      return;
    }
    this.#socket?.cork();
    this.#socket?.write(head, "latin1");
    this.#sendMore();
    this.#socket?.uncork();
  }

  writeBody(chunk: Buffer): boolean {
    const socket = this.#socket;
    if (socket === undefined) return true;
    this.#silentMs = 0;
    if (this.#call?.source?.bytes !== undefined) return socket.write(chunk, givingBack(chunk));
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`, "latin1");
    socket.write(chunk, givingBack(chunk));
    socket.write("\r\n", "latin1");
    socket.uncork();
    return !socket.writableNeedDrain;
  }

  endBody(): void {
    const call = this.#call;
    if (call === undefined) return;
    if (call.source?.bytes === undefined) this.#socket?.write("0\r\n\r\n", "latin1");
    this.#sentAll(call);
  }

  setReading(isReading: boolean): void {
    this.#silentMs = 0;
    if (isReading) this.#socket?.resume();
    else this.#socket?.pause();
  }

  /** Its request is no longer wanted. One that was not sent has done nothing to the connection. */
  drop(): void {
    this.#call = undefined;
    if (this.#state === "busy") this.close();
  }

  /** A moment has passed. Ends what has been silent for too long. */
  age(stepMs: number): void {
    this.#silentMs += stepMs;
    const call = this.#call;
    if (this.#state === "free") {
      // Rather too early than too late: the server may close it at any time.
      if (this.#silentMs + stepMs > this.#keptMs) this.close();
    } else if (this.#state === "busy" && call !== undefined && !call.isPaused) {
      const isWaiting = this.#answer === "awaited";
      // It is the source of the body that is silent, which is somebody else's to judge.
      if (call.source !== undefined && this.#chunksSent >= 0 && this.#socket?.writableNeedDrain === false) {
        this.#silentMs = 0;
      }
      if (this.#silentMs < stepMs + (isWaiting ? call.firstByteMs : call.idleMs)) return;
      this.fail(new UpstreamError(isWaiting ? "FIRST_BYTE_TIMEOUT" : "SILENCE_TIMEOUT"));
    }
  }

  /** Ends it, with its request if it has begun one, or if it could not be opened for it. */
  fail(error: Error): void {
    const call = this.#state === "waiting" ? undefined : this.#call;
    if (call !== undefined) this.#call = undefined;
    this.close();
    if (call === undefined) return;
    call.connection = undefined;
    call.handler.onError(error);
  }

  close(): void {
    if (this.#state === "closed") return;
    const wasFree = this.#state === "free";
    this.#state = "closed";
    const unsent = this.#call;
    this.#call = undefined;
    this.#socket?.destroy();
    this.#owner.closed(this, wasFree, unsent);
  }

  #free(): void {
    this.#state = "free";
    this.#silentMs = 0;
    this.#owner.freed(this);
  }

  #sendMore(): void {
    const call = this.#call;
    if (call === undefined || this.#chunksSent < 0) return;
    const { body, source } = call;
    this.#silentMs = 0;
    if (source !== undefined) {
      source.drained();
      return;
    }
    for (let isTaken = true; isTaken && this.#chunksSent < body.length;) {
      const chunk = body[this.#chunksSent];
      this.#chunksSent += 1;
      isTaken = chunk === undefined || this.#socket?.write(chunk) === true;
    }
    if (this.#chunksSent === body.length) this.#sentAll(call);
  }

  #sentAll(call: ConnectedCall): void {
    this.#chunksSent = -1;
    call.head = "";
    call.body = NOTHING;
  }

  /** Takes the first `length` bytes, whose memory may be used again for what is read next. */
  #receive(bytes: Buffer, length: number): void {
    const call = this.#state === "busy" ? this.#call : undefined;
    if (call === undefined) {
      // Nobody asked for it, and a request that waits to be sent must not get it for its answer.
      this.fail(new UpstreamError("ANSWER_UNASKED"));
      return;
    }
    const reader = this.#reader;
    this.#silentMs = 0;
    reader.read(bytes, length);
    const { newHead, dataStart, dataEnd } = reader;
    if (newHead !== undefined) {
      this.#note(newHead);
      call.handler.onHead(newHead);
      if (this.#call !== call) return;
    }
    if (dataEnd > dataStart) {
      call.handler.onData(bytes.subarray(dataStart, dataEnd));
      if (this.#call !== call) return;
    }
    if (reader.isComplete) this.#complete(call);
    else if (reader.fault !== undefined) this.fail(new UpstreamError(reader.fault));
  }

  #ended(): void {
    const call = this.#state === "busy" ? this.#call : undefined;
    if (call !== undefined && this.#reader.end()) this.#complete(call);
    else this.fail(new UpstreamError("CONNECTION_CLOSED"));
  }

  #complete(call: ConnectedCall): void {
    this.#call = undefined;
    call.connection = undefined;
    if (call.isPaused) this.#socket?.resume();
    if (this.#isReusable) this.#free();
    else this.close();
    call.handler.onEnd();
  }

  #note({ isKept, keptSeconds }: FramedHead): void {
    const { unusedMs } = this.#owner;
    this.#keptMs =
      keptSeconds === undefined ? unusedMs : Math.min(unusedMs, keptSeconds * 1000 - KEPT_MARGIN_MS);
    this.#answer = isKept && this.#keptMs > 0 ? "kept" : "last";
  }

  get #isReusable(): boolean {
    return (
      this.#answer === "kept" &&
      this.#reader.fault === undefined &&
      // An answer that came before the request was sent leaves the rest of that on the connection.
      this.#chunksSent < 0 &&
      this.#socket?.writableLength === 0
    );
  }
}

/**
 * Frees the memory of a chunk once it is sent. The collector would come by when there are 64 MB of them, which is more
 * than all the rest that an upload takes. Only what is all of its memory: others may hold views of the same.
 */
function givingBack({ buffer, byteLength }: Buffer): (error?: Error | null) => void {
  return (error) => {
    const isSent = error === null || error === undefined;
    if (isSent && buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
  };
}

/** As text, because the socket copies short text to the kernel without taking memory for it. */
function joined(head: string, body: readonly Buffer[]): string {
  let message = head;
  for (const chunk of body) message += chunk.toString("latin1");
  return message;
}
