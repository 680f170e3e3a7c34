/**
 * The bytes of an answer around its body: the head, and the framing of chunks (RFC 9112, 4 and 7.1). HTTP workers.
 * The same words in the same order as node:http writes them: whichever of the two a client is served by, it sees no
 * difference. Must never let a line end into a head that was not meant as one.
 */
import { STATUS_CODES } from "node:http";

/** What is found out from the headers of an answer on the way. */
export interface WrittenHead {
  readonly text: string;
  /** The body goes out in chunks. */
  readonly isChunked: boolean;
}

/** What a header's value may not hold: it would end the line, or be read differently by different readers. */
const UNSENDABLE = /[^\t\x20-\x7e\x80-\xff]/;
const SECOND_MS = 1000;

const LAST_CHUNK = "0\r\n\r\n";
/** Bytes around a body at most: its length in at most 8 digits, two line ends, the end of the chunks. */
const FRAME_BYTES_MAX = 17;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
/** Memory shared by answers, bytes: by small ones, and by those that need more; a client that takes nothing keeps one. */
const SMALL_BYTES = 16_384;
const LARGE_BYTES = 73_728;

export interface AnswerHeadsOptions {
  /** For how long an idle connection is kept, seconds; told to clients. */
  readonly idleSeconds: number;
  /** The time that people see, milliseconds since the epoch. */
  readonly wallClock: () => number;
}

/** Places in a head whose last line is remembered; longer lines are not, characters. */
const LINES_KEPT_MAX = 64;
const LINE_LENGTH_MAX = 256;

/** A header line as it was last written at its place. */
interface WrittenLine {
  readonly name: string;
  readonly value: string;
  readonly line: string;
  /** It is the length of the body. */
  readonly isLength: boolean;
  readonly isDate: boolean;
}

export class AnswerHeads {
  readonly #wallClock: () => number;
  readonly #kept: string;
  /** Most lines are the same in the next answer: made once, they are checked once and leave nothing to collect. */
  readonly #lines: WrittenLine[] = [];
  #dateSecond = 0;
  #date = "";

  constructor({ idleSeconds, wallClock }: AnswerHeadsOptions) {
    this.#wallClock = wallClock;
    this.#kept = `Connection: keep-alive\r\nKeep-Alive: timeout=${idleSeconds}\r\n`;
  }

  /**
   * Writes a head, its empty line included.
   * @param headers flat list
   * @param hasBody false when no body follows whatever the headers say: an answer to HEAD, 204, 304
   * @param isLast the connection ends with this answer
   * @throws TypeError when a value holds what no header can
   */
  write(status: number, headers: readonly string[], hasBody: boolean, isLast: boolean): WrittenHead {
    let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
    let hasLength = false;
    let hasDate = false;
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const { line, isLength, isDate } = this.#lineOf(at >> 1, headers[at] ?? "", headers[at + 1] ?? "");
      hasLength ||= isLength;
      hasDate ||= isDate;
      text += line;
    }
    if (!hasDate) text += this.#dateLine();
    text += isLast ? "Connection: close\r\n" : this.#kept;
    const isChunked = hasBody && !hasLength;
    return { text: isChunked ? `${text}Transfer-Encoding: chunked\r\n\r\n` : `${text}\r\n`, isChunked };
  }

  #lineOf(place: number, name: string, value: string): WrittenLine {
    const known = this.#lines[place];
    if (known !== undefined && known.name === name && known.value === value) return known;
    if (UNSENDABLE.test(value)) throw new TypeError("a header of the answer holds a control character");
    const line = `${name}: ${value}\r\n`;
    const isLength = name.length === 14 && name.toLowerCase() === "content-length";
    const isDate = name.length === 4 && name.toLowerCase() === "date";
    const written = { name, value, line, isLength, isDate };
    if (place < LINES_KEPT_MAX && line.length <= LINE_LENGTH_MAX) this.#lines[place] = written;
    return written;
  }

  #dateLine(): string {
    const second = Math.floor(this.#wallClock() / SECOND_MS);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#date = `Date: ${new Date(second * SECOND_MS).toUTCString()}\r\n`;
    }
    return this.#date;
  }
}

/**
 * Puts the pieces of an answer together in memory that is used again for the next one: a relayed event costs no memory of
 * its own. Whoever writes the bytes must say when they are still needed, see {@link AnswerBuffer.keep}.
 */
export class AnswerBuffer {
  #small = Buffer.allocUnsafeSlow(SMALL_BYTES);
  #large: Buffer | undefined;

  /**
   * A head (may be ""), a body's bytes, framed as a chunk if asked for, and the end of the chunks, as one buffer.
   * @param isOwn whether it needs memory of its own, because it will wait behind other bytes
   */
  join(head: string, body: Buffer | string, isChunk: boolean, isEnd: boolean, isOwn: boolean): Buffer {
    const bodyBytes = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    const bytesMax = head.length + bodyBytes + FRAME_BYTES_MAX;
    const bytes = isOwn ? Buffer.allocUnsafe(bytesMax) : this.#roomFor(bytesMax);
    const isFramed = isChunk && bodyBytes > 0;
    const before = isFramed ? `${head}${bodyBytes.toString(16)}\r\n` : head;
    let at = before === "" ? 0 : bytes.write(before, 0, "latin1");
    if (typeof body !== "string") bytes.set(body, at);
    else if (bodyBytes > 0) bytes.write(body, at, "utf8");
    at += bodyBytes;
    if (isFramed) at = writeLineEnd(bytes, at);
    if (isChunk && isEnd) at += bytes.write(LAST_CHUNK, at, "latin1");
    return bytes.subarray(0, at);
  }

  /** These bytes are still needed: if they lie in the shared memory, other memory is shared from now on. */
  keep(bytes: Buffer): void {
    if (bytes.buffer === this.#small.buffer) this.#small = Buffer.allocUnsafeSlow(SMALL_BYTES);
    else if (bytes.buffer === this.#large?.buffer) this.#large = undefined;
  }

  #roomFor(bytesMax: number): Buffer {
    if (bytesMax <= SMALL_BYTES) return this.#small;
    if (bytesMax > LARGE_BYTES) return Buffer.allocUnsafe(bytesMax);
    this.#large ??= Buffer.allocUnsafeSlow(LARGE_BYTES);
    return this.#large;
  }
}

function writeLineEnd(bytes: Buffer, at: number): number {
  bytes[at] = CARRIAGE_RETURN;
  bytes[at + 1] = LINE_FEED;
  return at + 2;
}
