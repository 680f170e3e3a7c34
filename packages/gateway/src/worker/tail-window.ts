/**
 * The last bytes of a stream: enough to see how it ended without looking at all of it. Worker threads. Copies them, so
 * that a stream that is held for minutes keeps nothing else alive; ordinary events need two kilobytes.
 */

/** Events that are kept whole, as long as they fit into {@link TAIL_BYTES_MAX}. */
const EVENTS_KEPT = 4;
/** Of longer events only so much is certainly kept, bytes. */
export const TAIL_BYTES_MAX = 16_384;
const BYTES_AT_FIRST = 1024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COMMA = 0x2c;

const EMPTY = Buffer.alloc(0);

export class TailWindow {
  #bytes: Buffer = EMPTY;
  #length = 0;

  push(chunk: Buffer): void {
    const last = chunk.length > TAIL_BYTES_MAX ? chunk.subarray(chunk.length - TAIL_BYTES_MAX) : chunk;
    if (this.#length + last.length > this.#bytes.length) this.#makeRoom(last.length);
    this.#bytes.set(last, this.#length);
    this.#length += last.length;
  }

  /** The kept bytes as one buffer, good until the next push. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Drops what lies before the last events, and takes more memory if the rest fills more than half of it. */
  #makeRoom(added: number): void {
    const start = Math.max(startOfLastEvents(this.#bytes, this.#length), this.#length - TAIL_BYTES_MAX);
    const kept = this.#length - start;
    let size = Math.max(this.#bytes.length, BYTES_AT_FIRST);
    while (size < kept + added || (kept > size / 2 && size < 2 * TAIL_BYTES_MAX)) size *= 2;
    const target = size === this.#bytes.length ? this.#bytes : Buffer.allocUnsafeSlow(size);
    this.#bytes.copy(target, 0, start, this.#length);
    this.#bytes = target;
    this.#length = kept;
  }
}

/** Where the last whole events of these bytes begin; 0 when there are fewer. */
function startOfLastEvents(bytes: Buffer, length: number): number {
  let ends = 0;
  for (let at = length - 1; at > 0; at -= 1) {
    if (!endsEvent(bytes, at)) continue;
    ends += 1;
    if (ends > EVENTS_KEPT) return at;
  }
  return 0;
}

/** At the end of a blank line, or at the comma before an element of a streamed array, which Google puts on its own line. */
function endsEvent(bytes: Buffer, at: number): boolean {
  const before = bytes[at - 1];
  if (bytes[at] === COMMA) return before === LINE_FEED;
  if (bytes[at] !== LINE_FEED) return false;
  return before === LINE_FEED || (before === CARRIAGE_RETURN && bytes[at - 2] === LINE_FEED);
}
