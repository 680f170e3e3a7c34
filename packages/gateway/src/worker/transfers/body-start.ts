/**
 * Reads the start of a body whose length nobody told: most of these are short, and can be kept for another key. Worker
 * threads.
 */
import { ChunkList } from "../chunk-list.ts";
import type { BodyFault, BodyReader, ClientRequest } from "../client/client-call.ts";

/** Bytes kept beside what `limits.bodyMemory` counts; a body that is longer is passed on as it comes. */
const START_BYTES_MAX = 65_536;

/** One of the first two is called, once, unless the client leaves or the third is. */
export interface BodyStartOwner {
  /** The body is there whole. */
  startIsAll(chunks: ChunkList): void;
  /** It is longer; the rest waits to be read. */
  startOverflows(chunks: ChunkList): void;
  /** The rest will not come; also after an overflow, while nobody reads it yet. */
  startBroken(fault: BodyFault): void;
}

export class BodyStart implements BodyReader {
  readonly #call: ClientRequest;
  readonly #owner: BodyStartOwner;
  readonly #chunks = new ChunkList();
  #bytes = 0;
  #isOver = false;

  constructor(call: ClientRequest, owner: BodyStartOwner) {
    this.#call = call;
    this.#owner = owner;
  }

  bodyChunk(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Of a paused body one more chunk may come.
    if (this.#isOver || this.#bytes <= START_BYTES_MAX) return;
    this.#isOver = true;
    this.#call.pauseBody();
    this.#owner.startOverflows(this.#chunks);
  }

  bodyEnded(): void {
    if (!this.#isOver) this.#owner.startIsAll(this.#chunks);
    this.#isOver = true;
  }

  bodyBroken(fault: BodyFault): void {
    this.#isOver = true;
    this.#owner.startBroken(fault);
  }
}
