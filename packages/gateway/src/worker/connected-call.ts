/**
 * One request over an HTTP/1.1 connection, from the moment it has one until its answer has ended. Worker threads. Outlives
 * nothing: once it is over it does nothing to a connection that serves another by then.
 */
import type { AnswerHandler, BodySink, BodySource, OutgoingRequest, UpstreamCall } from "./upstream-call.ts";

/** What carries a call. */
export interface CallCarrier {
  setReading(isReading: boolean): void;
  /** Sends a piece of a body that comes in pieces; false when the next is to wait. */
  writeBody(chunk: Buffer): boolean;
  endBody(): void;
  /** Its call is no longer wanted. */
  drop(): void;
}

export class ConnectedCall implements UpstreamCall, BodySink {
  readonly handler: AnswerHandler;
  readonly isHead: boolean;
  readonly firstByteMs: number;
  readonly idleMs: number;
  /** What is still to be handed to the socket: the head, each character an octet; "" once it was … */
  head: string;
  /** … and the body from this chunk on. Nothing sent is kept: an answer may take an hour. */
  body: readonly Buffer[];
  bodyBytes: number;
  /** Where the body comes from when it comes in pieces: then it is of any length as far as others see. */
  readonly source: BodySource | undefined;
  /** The one that carries it; undefined when it is over. */
  connection: CallCarrier | undefined;
  isPaused = false;

  constructor(request: OutgoingRequest, handler: AnswerHandler, head: string) {
    this.handler = handler;
    this.head = head;
    this.isHead = request.method === "HEAD";
    this.firstByteMs = request.firstByteMs;
    this.idleMs = request.idleMs;
    this.body = request.body;
    this.source = request.source;
    this.bodyBytes = request.source === undefined ? request.bodyBytes : Number.POSITIVE_INFINITY;
  }

  pause(): void {
    if (this.connection === undefined || this.isPaused) return;
    this.isPaused = true;
    this.connection.setReading(false);
  }

  resume(): void {
    if (this.connection === undefined || !this.isPaused) return;
    this.isPaused = false;
    this.connection.setReading(true);
  }

  /** What comes after the answer has ended is nobody's. */
  write(chunk: Buffer): boolean {
    return this.connection?.writeBody(chunk) ?? true;
  }

  end(): void {
    this.connection?.endBody();
  }

  abort(): void {
    const { connection } = this;
    this.connection = undefined;
    connection?.drop();
  }
}
