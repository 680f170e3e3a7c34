/**
 * Reads a request's body whole, so that it can be sent again to another key. Worker threads.
 * All workers together keep at most `limits.bodyMemory` bytes; beyond it the request is refused, never the process.
 */
import type { IncomingMessage } from "node:http";
import type { SharedCounters } from "../shared-counters.ts";
import { ChunkList } from "./chunk-list.ts";

/** What can be wrong with the bytes of a body that has begun. */
export type BodyFault = "malformed-request" | "unfinished-request";
export type BodyRefusal = BodyFault | "body-too-large" | "body-memory-full";

/** Emitted on a request, with a {@link BodyFault}, by whoever learns that the rest of its body will not come. */
export const BODY_BROKEN_EVENT = Symbol("body broken");

export interface BodyLimits {
  /** Largest body, bytes. */
  readonly bodyBytes: number;
  /** Bytes of bodies kept over all workers. */
  readonly bodyMemoryBytes: number;
}

/** Memory is counted in these units: bytes would overflow the shared counter at 2 GB. */
const KIBIBYTE = 1024;

type Done = (refusal?: BodyRefusal) => void;

export class RequestBody {
  readonly #counters: SharedCounters;
  readonly #chunks = new ChunkList();
  #bytes = 0;
  #reservedKibibytes = 0;

  constructor(counters: SharedCounters) {
    this.#counters = counters;
  }

  /** Bytes received; still told after {@link release}. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reads until the end of the request, then calls `done` once: with nothing, or with why it was refused.
   * Never calls it when the client leaves; the caller watches for that.
   */
  read(request: IncomingMessage, limits: BodyLimits, done: Done): void {
    const refusal = this.#refusalOf(Number(request.headers["content-length"] ?? 0), limits);
    if (refusal !== undefined) {
      done(refusal);
      return;
    }
    const onData = (chunk: Buffer): void => {
      const fault = this.#accept(chunk, limits);
      if (fault !== undefined) finish(fault);
    };
    const finish: Done = (fault) => {
      request.off("data", onData).off("end", finish).off(BODY_BROKEN_EVENT, finish);
      if (fault !== undefined) this.release();
      done(fault);
    };
    request.on("data", onData).on("end", finish).on(BODY_BROKEN_EVENT, finish);
  }

  /** Tells from the declared length alone that a body cannot be kept, before a byte of it is read. */
  #refusalOf(declaredBytes: number, { bodyBytes, bodyMemoryBytes }: BodyLimits): BodyRefusal | undefined {
    if (declaredBytes > bodyBytes) return "body-too-large";
    const usedBytes = declaredBytes === 0 ? 0 : this.#counters.total("bodyKibibytes") * KIBIBYTE;
    return usedBytes + declaredBytes > bodyMemoryBytes ? "body-memory-full" : undefined;
  }

  #accept(chunk: Buffer, { bodyBytes, bodyMemoryBytes }: BodyLimits): BodyRefusal | undefined {
    const bytes = this.#bytes + chunk.length;
    if (bytes > bodyBytes) return "body-too-large";
    const missing = Math.ceil(bytes / KIBIBYTE) - this.#reservedKibibytes;
    if (missing > 0) {
      const max = Math.floor(bodyMemoryBytes / KIBIBYTE);
      if (!this.#counters.tryAdd("bodyKibibytes", missing, max)) return "body-memory-full";
      this.#reservedKibibytes += missing;
    }
    this.#chunks.push(chunk);
    this.#bytes = bytes;
    return undefined;
  }

  /** The whole body as one buffer; empty once released. */
  whole(): Buffer {
    return this.#chunks.joined();
  }

  /** The body in the pieces it is sent in; none when there is no body. May be asked for again on every attempt. */
  toSend(): readonly Buffer[] {
    return this.#chunks.all();
  }

  /** Gives the memory back: once an answer has begun there is nothing left to replay. */
  release(): void {
    this.#chunks.clear();
    if (this.#reservedKibibytes > 0) this.#counters.subtract("bodyKibibytes", this.#reservedKibibytes);
    this.#reservedKibibytes = 0;
  }
}
