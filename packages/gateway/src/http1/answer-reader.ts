/**
 * Reads the answers that come over one connection, one after the other, in whatever pieces they come. HTTP workers; pure:
 * it is given bytes and says what is in them. At least as strict as llhttp; a property test holds it to that.
 */
import type { AnswerFault } from "./answer-fault.ts";
import { readHead, type FramedHead } from "./answer-head.ts";
import { ChunkedReader } from "./chunked-reader.ts";
import { HeaderScanner, SPAN_LENGTH } from "./header-scanner.ts";
import { KnownTexts } from "./known-texts.ts";
import { StatusLine } from "./status-line.ts";

/** Headers of one answer. */
const HEADERS_COUNT_MAX = 1000;
/** Interim answers (1xx) before the real one. */
const INTERIM_MAX = 32;
/** Memory first taken for a head that comes in pieces, bytes. */
const KEPT_BYTES_AT_FIRST = 1024;

type State = "unasked" | "status-line" | "headers" | "sized" | "chunked" | "until-close" | "complete";

export class AnswerReader {
  /** What the last piece brought: the head, if it was completed by it … */
  newHead: FramedHead | undefined;
  /** … bytes of the body, which lie in the piece from here … */
  dataStart = 0;
  /** … to here; none when both are equal … */
  dataEnd = 0;
  /** … what is wrong, if it is; the body's bytes before it are good. After a fault nothing more is read. */
  fault: AnswerFault | undefined;
  readonly #headBytesMax: number;
  readonly #texts: KnownTexts;
  readonly #statusLine = new StatusLine();
  readonly #headers = new HeaderScanner();
  readonly #chunks = new ChunkedReader();
  #state: State = "unasked";
  #isBodiless = false;
  #interims = 0;
  /** Bytes of the body that have not come yet, of a sized one. */
  #left = 0;
  /** The head so far, when it comes in pieces. */
  #kept: Buffer | undefined;
  #keptBytes = 0;

  /**
   * @param headBytesMax largest head, status line included
   * @param texts shared by all connections of a worker
   */
  constructor(headBytesMax: number, texts = new KnownTexts()) {
    this.#headBytesMax = headBytesMax;
    this.#texts = texts;
  }

  /** Whether the answer is there whole. */
  get isComplete(): boolean {
    return this.#state === "complete";
  }

  /** Whether anything of the answer has come. */
  get hasBegun(): boolean {
    return this.#keptBytes > 0 || (this.#state !== "unasked" && this.#state !== "status-line");
  }

  /**
   * Awaits the answer to a request that is sent now.
   * @param isBodiless whether it is one whose answer has no body (HEAD)
   */
  begin(isBodiless: boolean): void {
    this.#isBodiless = isBodiless;
    this.#interims = 0;
    this.#beginHead();
  }

  /** Reads the first `length` bytes; may move what is in them. What they held is told by the fields above. */
  read(bytes: Buffer, length: number): void {
    this.newHead = undefined;
    this.dataStart = 0;
    this.dataEnd = 0;
    if (this.fault !== undefined) return;
    let at = 0;
    while (at >= 0 && (this.#state === "status-line" || this.#state === "headers")) {
      if (at === length) return;
      at = this.#readHead(at === 0 ? bytes : bytes.subarray(at), length - at, at);
    }
    if (at < 0) return;
    at = this.#readBody(bytes, at, length);
    if (at >= 0 && at < length) this.fault = "ANSWER_UNASKED";
  }

  /** The server has closed its side: whether that, and not a break, is the end of the answer. */
  end(): boolean {
    if (this.#state !== "until-close" || this.fault !== undefined) return false;
    this.#state = "complete";
    return true;
  }

  /** @returns the position in the whole piece, which `offset` bytes are before `bytes`; -1 when it is used up */
  #readHead(bytes: Buffer, length: number, offset: number): number {
    const keptBefore = this.#keptBytes;
    const source = keptBefore === 0 ? bytes : this.#keep(bytes, length);
    const after = this.#scanHead(source, keptBefore, keptBefore + length);
    if (after === -2) return this.#fail("ANSWER_HEAD_MALFORMED");
    if ((after < 0 ? keptBefore + length : after) > this.#headBytesMax)
      return this.#fail("ANSWER_HEAD_TOO_LARGE");
    if (after < 0) {
      if (keptBefore === 0) this.#keep(bytes, length);
      return -1;
    }
    return this.#takeHead(source) ? offset + after - keptBefore : -1;
  }

  #scanHead(source: Buffer, from: number, end: number): number {
    let at = from;
    if (this.#state === "status-line") {
      at = this.#statusLine.scan(source, from, end);
      if (at < 0) return at;
      this.#state = "headers";
    }
    return this.#headers.scan(source, at, end);
  }

  #takeHead(bytes: Buffer): boolean {
    const headers = this.#headers;
    const { status, minor } = this.#statusLine;
    const isCrowded = headers.spansLength > HEADERS_COUNT_MAX * SPAN_LENGTH;
    const parts = { status, minor, isBodiless: this.#isBodiless };
    const head = isCrowded ? undefined : readHead(bytes, headers, parts, this.#texts);
    if (head === undefined) {
      this.#fail("ANSWER_HEAD_MALFORMED");
    } else if (status === 101) {
      this.#fail("ANSWER_UPGRADED");
    } else if (status >= 200) {
      this.#beginBody(head);
    } else {
      this.#interims += 1;
      this.#beginHead();
      // After one that ends the connection, or claims a body, nothing can be told apart any more.
      if (!head.isKept || this.#interims > INTERIM_MAX) this.#fail("ANSWER_HEAD_MALFORMED");
    }
    return this.fault === undefined;
  }

  #beginHead(): void {
    this.#state = "status-line";
    this.#forget();
    this.#statusLine.begin();
    this.#headers.begin();
  }

  #beginBody(head: FramedHead): void {
    this.newHead = head;
    this.#forget();
    this.#left = head.bodyBytes;
    if (head.framing === "chunked") this.#chunks.begin();
    const { framing, bodyBytes } = head;
    this.#state = framing === "none" || (framing === "sized" && bodyBytes === 0) ? "complete" : framing;
  }

  /** @returns the position after the body's end, -1 when that has not come */
  #readBody(bytes: Buffer, from: number, end: number): number {
    switch (this.#state) {
      case "sized": {
        const length = Math.min(this.#left, end - from);
        this.dataStart = from;
        this.dataEnd = from + length;
        this.#left -= length;
        if (this.#left === 0) this.#state = "complete";
        return this.dataEnd;
      }
      case "chunked": {
        const after = this.#chunks.read(bytes, from, end);
        this.dataStart = this.#chunks.dataStart;
        this.dataEnd = this.#chunks.dataEnd;
        if (after >= 0) this.#state = "complete";
        return after === -2 ? this.#fail("ANSWER_CHUNK_MALFORMED") : after;
      }
      case "until-close":
        this.dataStart = from;
        this.dataEnd = end;
        return end;
      case "unasked":
      case "status-line":
      case "headers":
      case "complete":
        return from;
    }
  }

  #fail(fault: AnswerFault): -1 {
    this.fault = fault;
    this.#forget();
    return -1;
  }

  /** Adds to the head that comes in pieces; gives all of it. */
  #keep(bytes: Buffer, length: number): Buffer {
    const needed = this.#keptBytes + length;
    let kept = this.#kept;
    if (kept === undefined || kept.length < needed) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * (kept?.length ?? KEPT_BYTES_AT_FIRST / 2)));
      kept?.copy(grown, 0, 0, this.#keptBytes);
      kept = grown;
    }
    bytes.copy(kept, this.#keptBytes, 0, length);
    this.#kept = kept;
    this.#keptBytes = needed;
    return kept;
  }

  #forget(): void {
    this.#kept = undefined;
    this.#keptBytes = 0;
  }
}
