/**
 * A request to the upstream and what is heard of it, whatever carries it: our own HTTP/1.1 connections or undici's
 * HTTP/2. HTTP workers.
 */
import type { AnswerHead } from "../http1/answer-head.ts";

/** Takes the body of a request piece by piece. */
export interface BodySink {
  /**
   * The chunk is the sink's from here on: its memory is given back once it is sent, and must not be looked at again.
   * False when the source is to wait until it is drained.
   */
  write(chunk: Buffer): boolean;
  end(): void;
}

/** Gives the body of a request while that is sent. It comes once: such a request cannot be sent again. */
export interface BodySource {
  /** Length, bytes; undefined when only its end will tell. */
  readonly bytes: number | undefined;
  /** Begins; may give pieces before it returns. */
  flowInto(sink: BodySink): void;
  /** More may be given. */
  drained(): void;
}

export interface OutgoingRequest {
  readonly method: string;
  /** Path and query, beginning with a slash; the upstream's own prefix is put before it. */
  readonly path: string;
  /** Headers of the client's request, flat; which of them go on is decided on the way. */
  readonly rawHeaders: readonly string[];
  /** The key; "" for none. */
  readonly credential: string;
  readonly body: readonly Buffer[];
  /** Of all of it. */
  readonly bodyBytes: number;
  /** In place of `body`. */
  readonly source?: BodySource | undefined;
  /** Longest wait for the head of the answer, while nothing of the request could be sent either; milliseconds. */
  readonly firstByteMs: number;
  /** Longest silence inside the answer, not counted while it is paused; milliseconds. */
  readonly idleMs: number;
}

/** Hears of one answer. Must not throw. After `onEnd` or `onError`, of which exactly one comes, nothing more is called. */
export interface AnswerHandler {
  /** Interim answers (1xx) are not told. */
  onHead(head: AnswerHead): void;
  /**
   * Bytes of the body. Their memory is used again once this has returned and the microtasks behind it have run: what is to
   * be kept for longer must be copied.
   */
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** The error has a code; what can be in its message stays unsaid. */
  onError(error: Error): void;
}

/** A request under way. Does nothing any more once its answer has ended. */
export interface UpstreamCall {
  /** One more piece may come. */
  pause(): void;
  resume(): void;
  /** Breaks it off; the handler hears nothing more. */
  abort(): void;
}
