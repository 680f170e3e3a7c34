/**
 * Reads a request's body whole, so that it can be sent again to another key. Worker threads.
 * All workers together keep at most `limits.bodyMemory` bytes; beyond it the request is refused, never the process.
 */
import type { IncomingMessage } from "node:http";
import type { SharedCounters } from "../shared-counters.ts";

export type BodyRefusal = "body-too-large" | "body-memory-full" | "unfinished-request";

export interface BodyLimits {
  /** Largest body, bytes. */
  readonly bodyBytes: number;
  /** Bytes of bodies kept over all workers. */
  readonly bodyMemoryBytes: number;
}

/** Bodies up to this size are joined into one buffer, bytes; larger ones are sent chunk by chunk, sparing a copy. */
const JOINED_BYTES_MAX = 1_048_576;

const EMPTY = Buffer.alloc(0);

export class RequestBody {
  readonly #counters: SharedCounters;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #released = false;

  constructor(counters: SharedCounters) {
    this.#counters = counters;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reads until the end of the request, then calls `done` once: with nothing, or with why it was refused.
   * Never calls it when the client leaves; the caller watches for that.
   */
  read(request: IncomingMessage, limits: BodyLimits, done: (refusal?: BodyRefusal) => void): void {
    const declared = Number(request.headers["content-length"] ?? 0);
    if (declared > limits.bodyBytes) {
      done("body-too-large");
      return;
    }
    let refused = false;
    request.on("data", (chunk: Buffer) => {
      if (refused) return;
      const refusal = this.#accept(chunk, limits);
      if (refusal !== undefined) {
        refused = true;
        this.release();
        done(refusal);
      }
    });
    request.on("end", () => {
      if (!refused) done();
    });
  }

  #accept(chunk: Buffer, limits: BodyLimits): BodyRefusal | undefined {
    if (this.#released) return "unfinished-request";
    if (this.#bytes + chunk.length > limits.bodyBytes) return "body-too-large";
    if (!this.#counters.tryAdd("bodyBytes", chunk.length, limits.bodyMemoryBytes)) return "body-memory-full";
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return undefined;
  }

  /** The whole body as one buffer. */
  whole(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks, this.#bytes)];
    return this.#chunks[0] ?? EMPTY;
  }

  /** The body as the upstream client takes it; null when there is none. May be asked for again on every attempt. */
  toSend(): Buffer | AsyncIterable<Buffer> | null {
    if (this.#bytes === 0) return null;
    return this.#bytes <= JOINED_BYTES_MAX || this.#chunks.length === 1 ? this.whole() : replay(this.#chunks);
  }

  /** Gives the memory back: once an answer has begun there is nothing left to replay. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    if (this.#bytes > 0) this.#counters.subtract("bodyBytes", this.#bytes);
    this.#chunks = [];
  }
}

// oxlint-disable-next-line require-await -- the upstream client takes an async iterable, not a plain one
async function* replay(chunks: readonly Buffer[]): AsyncIterable<Buffer> {
  yield* chunks;
}
