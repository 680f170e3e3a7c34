/**
 * Bytes of an upload as they come: counted and hashed, kept only up to a bound, so that 2 GB cost no memory. Runs on
 * the emulator's thread.
 */
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";

/** Bytes kept of one file; of a larger one only size and hash are known, and it cannot be downloaded. */
export const FILE_BYTES_KEPT_MAX = 32 * 1024 * 1024;
/** Bytes kept of all files and running uploads together; above it files are known by size and hash alone. */
export const KEPT_BYTES_MAX = 512 * 1024 * 1024;

/** How many bytes are kept at present: one for the whole emulator. */
export class KeptBytes {
  #bytes = 0;

  /** Takes room; false when there is none. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > KEPT_BYTES_MAX) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

export class ByteIntake {
  readonly #kept: KeptBytes;
  readonly #hash: Hash = createHash("sha256");
  #chunks: Buffer[] | undefined = [];
  #bytes = 0;

  constructor(kept: KeptBytes) {
    this.#kept = kept;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Buffer): void {
    this.#hash.update(chunk);
    const before = this.#bytes;
    this.#bytes += chunk.length;
    if (this.#chunks === undefined) return;
    if (this.#bytes <= FILE_BYTES_KEPT_MAX && this.#kept.take(chunk.length)) {
      // A copy: what the socket gives may be a slice of a larger block.
      this.#chunks.push(Buffer.from(chunk));
      return;
    }
    this.#chunks = undefined;
    this.#kept.give(before);
  }

  /** Gives back the room of what is kept. */
  drop(): void {
    if (this.#chunks !== undefined) this.#kept.give(this.#bytes);
    this.#chunks = undefined;
  }

  /** Once, at the end. `content` is absent when there were too many bytes; its room is now its keeper's to give back. */
  finish(): { readonly bytes: number; readonly sha256Hex: string; readonly content: Buffer | undefined } {
    const content = this.#chunks === undefined ? undefined : Buffer.concat(this.#chunks);
    this.#chunks = undefined;
    return { bytes: this.#bytes, sha256Hex: this.#hash.digest("hex"), content };
  }
}
