/**
 * A body that passes from the client to the upstream as it comes, of any length: at most what the two sockets hold is in
 * memory. Worker threads. It comes once, so its request has one try.
 */
import type { ChunkList } from "../chunk-list.ts";
import type { BodyFault, BodyReader, ClientRequest } from "../client/client-call.ts";
import type { BodySink, BodySource } from "../upstream-call.ts";

export interface StreamedBodyOptions {
  /** Length, bytes; undefined when only its end will tell. */
  readonly bytes: number | undefined;
  /** What was read of it before. */
  readonly start?: ChunkList | undefined;
  /** Told when the rest of the body will not come. */
  readonly broken: (fault: BodyFault) => void;
}

export class StreamedBody implements BodyReader, BodySource {
  readonly isPatient = true;
  readonly bytes: number | undefined;
  readonly #call: ClientRequest;
  readonly #broken: (fault: BodyFault) => void;
  #start: ChunkList | undefined;
  #sink: BodySink | undefined;
  #received = 0;
  #hasBegun = false;
  #isOver = false;

  constructor(call: ClientRequest, { bytes, broken, start }: StreamedBodyOptions) {
    this.#call = call;
    this.bytes = bytes;
    this.#broken = broken;
    this.#start = start;
  }

  /** Bytes that have come. */
  get received(): number {
    return this.#received;
  }

  /** Whether some of it may have been sent. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Whether all of it was read. */
  get isOver(): boolean {
    return this.#isOver;
  }

  flowInto(sink: BodySink): void {
    this.#hasBegun = true;
    this.#sink = sink;
    const start = this.#start;
    this.#start = undefined;
    for (const chunk of start?.all() ?? []) this.bodyChunk(chunk);
    this.#call.readBody(this);
    if (start !== undefined) this.#call.resumeBody();
  }

  drained(): void {
    if (this.#sink !== undefined && !this.#isOver) this.#call.resumeBody();
  }

  bodyChunk(chunk: Buffer): void {
    this.#received += chunk.length;
    if (this.#sink?.write(chunk) === false) this.#call.pauseBody();
  }

  bodyEnded(): void {
    this.#isOver = true;
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.end();
  }

  bodyBroken(fault: BodyFault): void {
    this.#sink = undefined;
    this.#broken(fault);
  }

  /** Nobody wants the rest: it is read past, within bounds. */
  stop(): void {
    this.#sink = undefined;
    if (!this.#isOver) this.#call.discardBody();
  }
}
