/**
 * The data of the events of a stream, line by line, in whatever chunks it comes. Runs on the HTTP workers, on streams
 * of Interactions alone. Reads along and changes nothing; keeps copies, and never more than one event of a bounded length.
 */

/** Longest line that is told, bytes: what tells of resources is short, images are not. */
export const EVENT_BYTES_MAX = 262_144;

const LINE_FEED = 0x0a;
const DATA = Buffer.from("data:");
const EMPTY = Buffer.alloc(0);

export class EventLines {
  /** The beginning of a line that has not ended. */
  #begun: Buffer = EMPTY;
  /** The line that has not ended is too long. */
  #isPassed = false;

  /** The data of the events whose line ends in this chunk. */
  push(chunk: Buffer): string[] {
    const told: string[] = [];
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, from);
      if (end < 0) break;
      const line =
        this.#begun.length === 0 ? chunk.subarray(from, end) : this.#joined(chunk.subarray(from, end));
      if (!this.#isPassed && line.length <= EVENT_BYTES_MAX && isData(line))
        told.push(line.toString("utf8", DATA.length));
      this.#begun = EMPTY;
      this.#isPassed = false;
      from = end + 1;
    }
    if (from < chunk.length && !this.#isPassed) this.#keep(chunk.subarray(from));
    return told;
  }

  #joined(rest: Buffer): Buffer {
    return Buffer.concat([this.#begun, rest]);
  }

  #keep(rest: Buffer): void {
    this.#isPassed = this.#begun.length + rest.length > EVENT_BYTES_MAX;
    this.#begun = this.#isPassed ? EMPTY : this.#joined(rest);
  }
}

function isData(line: Buffer): boolean {
  return line.length > DATA.length && line.subarray(0, DATA.length).equals(DATA);
}
