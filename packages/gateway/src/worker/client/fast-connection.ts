/**
 * A client connection served without node:http: reads requests that are plainly good, one after the other, and hands
 * itself over to node:http for good as soon as one is not (request-head.ts says which those are). Worker threads.
 * Keeps no bytes between requests but those of requests sent ahead, up to a bound.
 */
import { parseAddress, formatAddress } from "@gemini-gateway/core/network/address";
import type { Socket } from "node:net";
import type { AnswerBuffer, AnswerHeads } from "../../http1/answer-bytes.ts";
import type { KnownTexts } from "../../http1/known-texts.ts";
import { readRequestHead } from "../../http1/request-head.ts";
import type { ClientCall, Peer } from "./client-call.ts";
import { FastCall, type CallHost } from "./fast-call.ts";

/** Bytes kept that a client sent ahead of an answer; with more the connection is not read until that is given. */
const AHEAD_BYTES_MAX = 65_536;
const NOTHING = Buffer.alloc(0);

/** Counts the sweeps: time as coarse as the time-outs of connections need it, read without a call. */
export interface SweepClock {
  tick: number;
}

/** What all connections of a listener share. */
export interface FastConnectionOptions {
  readonly heads: AnswerHeads;
  readonly buffer: AnswerBuffer;
  /** What the headers of all requests are read with. */
  readonly texts: KnownTexts;
  readonly headBytesMax: number;
  readonly headersMax: number;
  /** How long a connection may take nothing of what is ready for it, milliseconds. */
  readonly stallMs: number;
  /** In ticks of the sweep, see {@link FastConnection.sweep}. */
  readonly headTicks: number;
  readonly bodyTicks: number;
  readonly idleTicks: number;
  readonly clock: SweepClock;
  readonly receive: (call: ClientCall) => void;
  /** Takes a connection whose next bytes are not for this one, or answers a client that never sent any. */
  readonly handOver: (socket: Socket, bytes: Buffer) => void;
  readonly refuse: (socket: Socket) => void;
}

/**
 * `new`: nothing has come yet. `idle`: between requests. `receiving`: the body is not whole. `answering`: the answer is
 * not ended. `leaving`: the last bytes of an answer wait for the client. `over`: nothing more is read here.
 */
type State = "new" | "idle" | "receiving" | "answering" | "leaving" | "over";

export class FastConnection implements CallHost {
  readonly #options: FastConnectionOptions;
  readonly #socket: Socket;
  #state: State = "new";
  #call: FastCall | undefined;
  #ahead: Buffer | undefined;
  /** Number of the sweep at which what is waited for is late; 0 while nothing is. */
  #lateAt: number;
  #peer: Peer | undefined;

  constructor(socket: Socket, options: FastConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#lateAt = options.clock.tick + options.headTicks;
  }

  get heads(): AnswerHeads {
    return this.#options.heads;
  }

  get isLost(): boolean {
    return this.#socket.destroyed;
  }

  /** Looked up once: the request is asked for it at its beginning, when the connection still knows. */
  get peer(): Peer {
    this.#peer ??= peerOf(this.#socket);
    return this.#peer;
  }

  get isIdle(): boolean {
    return (this.#state === "idle" || this.#state === "new") && this.#ahead === undefined;
  }

  // --- what the socket tells -----------------------------------------------------------------------------------------

  received(chunk: Buffer): void {
    switch (this.#state) {
      case "new":
      case "idle":
        this.#take(chunk);
        return;
      case "receiving":
        this.#takeBody(chunk);
        return;
      case "answering":
      case "leaving":
        this.#keepAhead(chunk);
        return;
      case "over":
    }
  }

  /** The client has closed its side: as with node:http, whoever does that does not wait for an answer. */
  ended(): void {
    if (this.#state === "receiving" && this.#call?.hasEnded === false)
      this.#call.breakBody("unfinished-request");
    else this.#socket.end();
  }

  drained(): void {
    this.#socket.setTimeout(0);
    if (this.#state !== "leaving") this.#call?.drained();
  }

  /** Nothing moved for `stallMs` on a connection that is waited for. */
  stalled(): void {
    if (this.#socket.writableLength > 0) this.#socket.destroy();
  }

  closed(): void {
    this.#state = "over";
    const call = this.#call;
    this.#call = undefined;
    this.#ahead = undefined;
    call?.lost();
  }

  /** Called at every tick: ends what has waited too long. */
  sweep(): void {
    const { clock, bodyTicks } = this.#options;
    if (this.#lateAt === 0 || clock.tick < this.#lateAt) return;
    if (this.#state === "receiving" && this.#call?.isPatient === true && this.#socket.isPaused()) {
      this.#lateAt = clock.tick + bodyTicks;
      return;
    }
    this.#lateAt = 0;
    if (this.#state === "new") {
      this.#state = "over";
      this.#options.refuse(this.#socket);
    } else if (this.#state === "idle") {
      this.#socket.destroy();
    } else if (this.#state === "receiving") {
      this.#call?.breakBody("unfinished-request");
    }
  }

  // --- requests ------------------------------------------------------------------------------------------------------

  /** Begins a request; `bytes` that hold anything but one request, or its beginning with the whole head, are not served here. */
  #take(bytes: Buffer): void {
    const { headBytesMax, headersMax, texts, clock, bodyTicks, receive } = this.#options;
    const head = readRequestHead(bytes, headBytesMax, headersMax, texts);
    const missingBytes = head === undefined ? -1 : head.bytes + head.bodyBytes - bytes.length;
    if (head === undefined || missingBytes < 0) {
      this.#handOver(bytes);
      return;
    }
    const call = new FastCall(
      this,
      head,
      head.bytes === bytes.length ? undefined : bytes.subarray(head.bytes),
    );
    this.#call = call;
    this.#state = missingBytes === 0 ? "answering" : "receiving";
    this.#lateAt = missingBytes === 0 ? 0 : clock.tick + bodyTicks;
    receive(call);
  }

  #takeBody(chunk: Buffer): void {
    const call = this.#call;
    if (call === undefined) return;
    const { missingBytes } = call;
    const isWhole = chunk.length >= missingBytes;
    if (isWhole) {
      this.#state = "answering";
      this.#lateAt = 0;
    } else if (call.isPatient) {
      this.#lateAt = this.#options.clock.tick + this.#options.bodyTicks;
    }
    const hadEnded = call.hasEnded;
    if (chunk.length > missingBytes) this.#keepAhead(chunk.subarray(missingBytes));
    call.takeBody(chunk.length > missingBytes ? chunk.subarray(0, missingBytes) : chunk);
    // An answer that came before the body was whole has waited for it.
    if (isWhole && hadEnded) this.#next();
  }

  #keepAhead(bytes: Buffer): void {
    if (this.#state === "over") return;
    this.#ahead = this.#ahead === undefined ? bytes : Buffer.concat([this.#ahead, bytes]);
    if (this.#ahead.length >= AHEAD_BYTES_MAX) this.#socket.pause();
  }

  #handOver(bytes: Buffer): void {
    this.#state = "over";
    this.#lateAt = 0;
    this.#options.handOver(this.#socket, bytes);
  }

  answered(): void {
    const call = this.#call;
    if (call === undefined) return;
    if (call.isLast) {
      this.#state = "over";
      this.#lateAt = 0;
      this.#socket.destroySoon();
    } else if (this.#state === "receiving") {
      call.discardBody();
    } else {
      this.#next();
    }
  }

  /** The request is served: the next one, once the answer has left. */
  #next(): void {
    if (this.#socket.writableLength > 0) {
      this.#state = "leaving";
      // Called back when all that was written before it has left.
      this.#socket.write(NOTHING, () => {
        this.#socket.setTimeout(0);
        this.#left();
      });
      return;
    }
    this.#left();
  }

  #left(): void {
    if (this.#state === "over" || this.#socket.destroyed) return;
    this.#call = undefined;
    this.#state = "idle";
    this.#lateAt = this.#options.clock.tick + this.#options.idleTicks;
    const ahead = this.#ahead;
    if (ahead === undefined) return;
    this.#ahead = undefined;
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#take(ahead);
  }

  // --- what a call asks for ------------------------------------------------------------------------------------------

  send(head: string, body: Buffer | string, isChunk: boolean, isEnd: boolean): boolean {
    const { buffer } = this.#options;
    const socket = this.#socket;
    const bytes = buffer.join(head, body, isChunk, isEnd, socket.writableLength > 0);
    const isTaken = socket.write(bytes);
    // Nothing waits: the kernel has copied all of it. Else node still reads from these bytes.
    if (socket.writableLength > 0) {
      buffer.keep(bytes);
      this.#watchStall();
    }
    return isTaken;
  }

  sendAll(pieces: readonly Buffer[]): boolean {
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
    if (this.#socket.writableLength > 0) this.#watchStall();
    return !this.#socket.writableNeedDrain;
  }

  /** From now on the client must take something in time: bytes wait for it. */
  #watchStall(): void {
    this.#socket.setTimeout(this.#options.stallMs);
  }

  setPaused(isPaused: boolean): void {
    if (isPaused) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  cut(): void {
    this.#socket.destroy();
  }
}

function peerOf({ remoteAddress }: Socket): Peer {
  const address = remoteAddress === undefined ? undefined : parseAddress(remoteAddress);
  return { address, text: address === undefined ? (remoteAddress ?? "") : formatAddress(address) };
}
