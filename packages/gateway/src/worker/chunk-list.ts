/**
 * Bytes collected piece by piece, at about their own cost. Worker threads.
 * A piece kept by reference costs a hundred bytes beside its own: a body sent in chunks of one byte would take a
 * hundred times what is counted for it. So small pieces are copied together.
 */

/** Pieces from this size on are kept by reference, bytes. */
const LARGE_BYTES_MIN = 4096;
/** Small pieces that may wait to be copied together. */
const SMALL_PIECES_MAX = 1024;

const EMPTY = Buffer.alloc(0);

export class ChunkList {
  #chunks: Buffer[] = [];
  /** The last pieces, all small. */
  #small: Buffer[] = [];

  push(piece: Buffer): void {
    if (piece.length >= LARGE_BYTES_MIN) {
      this.#gather();
      this.#chunks.push(piece);
      return;
    }
    // A first push takes room for seventeen, and most bodies come in one piece.
    if (this.#small.length === 0) this.#small = [piece];
    else this.#small.push(piece);
    if (this.#small.length >= SMALL_PIECES_MAX) this.#gather();
  }

  /** Everything pushed, in order. */
  all(): readonly Buffer[] {
    this.#gather();
    return this.#chunks;
  }

  /** Everything as one buffer, copied at most once. */
  joined(): Buffer {
    this.#gather();
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? EMPTY;
  }

  clear(): void {
    this.#chunks = [];
    this.#small = [];
  }

  #gather(): void {
    const [only] = this.#small;
    if (only === undefined) return;
    if (this.#small.length > 1) this.#chunks.push(Buffer.concat(this.#small));
    else if (this.#chunks.length > 0) this.#chunks.push(only);
    else this.#chunks = this.#small;
    this.#small = [];
  }
}
