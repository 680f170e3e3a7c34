/** The last bytes of a stream, by reference: enough to see how it ended without looking at all of it. */

/** Bytes that are certainly kept; one more chunk at most. */
const TAIL_BYTES_MIN = 16_384;

export class TailWindow {
  #chunks: Buffer[] = [];
  #bytes = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    let [oldest] = this.#chunks;
    while (oldest !== undefined && this.#bytes - oldest.length >= TAIL_BYTES_MIN) {
      this.#chunks.shift();
      this.#bytes -= oldest.length;
      [oldest] = this.#chunks;
    }
  }

  /** The kept bytes as one buffer. */
  bytes(): Buffer {
    return this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
  }
}
