/**
 * Reads a request's body whole, so that it can be sent again to another key. Worker threads.
 * All workers together keep at most `limits.bodyMemory` bytes; beyond it the request is refused, never the process.
 */
import type { SharedCounters } from "../shared-counters.ts";
import { ChunkList } from "./chunk-list.ts";
import type { BodyFault, BodyReader, ClientRequest } from "./client/client-call.ts";

export type BodyRefusal = BodyFault | "body-too-large" | "body-memory-full";

export interface BodyLimits {
  /** Largest body, bytes. */
  readonly bodyBytes: number;
  /** Bytes of bodies kept over all workers. */
  readonly bodyMemoryBytes: number;
}

/** Memory is counted in these units: bytes would overflow the shared counter at 2 GB. */
const KIBIBYTE = 1024;

/** Waits for a body that is read whole. */
export interface BodyOwner {
  /** Called once: with nothing, or with why the body was refused. Never when the client leaves. */
  bodyRead(refusal?: BodyRefusal): void;
}

export class RequestBody implements BodyReader {
  readonly #counters: SharedCounters;
  readonly #limits: BodyLimits;
  readonly #owner: BodyOwner;
  readonly #chunks = new ChunkList();
  /** True until the owner has been told. */
  #isReading = true;
  #bytes = 0;
  #reservedKibibytes = 0;

  constructor(counters: SharedCounters, limits: BodyLimits, owner: BodyOwner) {
    this.#counters = counters;
    this.#limits = limits;
    this.#owner = owner;
  }

  /** Bytes received; still told after {@link release}. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Reads until the end of the request, then tells the owner. */
  read(request: ClientRequest): void {
    const refusal = this.#refusalOf(request.declaredBytes);
    if (refusal === undefined) request.readBody(this);
    else this.#finish(refusal);
  }

  bodyChunk(chunk: Buffer): void {
    const refusal = this.#isReading ? this.#accept(chunk) : undefined;
    if (refusal !== undefined) this.#finish(refusal);
  }

  bodyEnded(): void {
    this.#finish();
  }

  bodyBroken(fault: BodyFault): void {
    this.#finish(fault);
  }

  #finish(refusal?: BodyRefusal): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    if (refusal !== undefined) this.release();
    this.#owner.bodyRead(refusal);
  }

  /** Tells from the declared length alone that a body cannot be kept, before a byte of it is read. */
  #refusalOf(declaredBytes: number): BodyRefusal | undefined {
    if (declaredBytes === 0) return undefined;
    const { bodyBytes, bodyMemoryBytes } = this.#limits;
    if (declaredBytes > bodyBytes) return "body-too-large";
    const usedBytes = this.#counters.total("bodyKibibytes") * KIBIBYTE;
    return usedBytes + declaredBytes > bodyMemoryBytes ? "body-memory-full" : undefined;
  }

  #accept(chunk: Buffer): BodyRefusal | undefined {
    const { bodyBytes, bodyMemoryBytes } = this.#limits;
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

  /** Puts other bytes in its place, of about its length. */
  replace(bytes: Buffer): void {
    this.#chunks.clear();
    this.#chunks.push(bytes);
    this.#bytes = bytes.length;
  }

  /** Gives the memory back: once an answer has begun there is nothing left to replay. */
  release(): void {
    this.#chunks.clear();
    if (this.#reservedKibibytes > 0) this.#counters.subtract("bodyKibibytes", this.#reservedKibibytes);
    this.#reservedKibibytes = 0;
  }
}
