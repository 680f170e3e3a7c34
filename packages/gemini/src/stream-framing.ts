/**
 * Cuts the beginning of a stream into JSON texts, one per event or array element, whatever chunks it comes in.
 * Runs on the HTTP workers. Only reads: the bytes themselves are relayed as they came.
 */
import { JsonSpan } from "./json-span.ts";

/** What a framing found: the text of one event or element, or bytes that no such stream holds. */
export type Framed = { readonly kind: "text"; readonly text: string } | { readonly kind: "garbage" };

/** Takes bytes in pieces; `end` gives what the stream stopped in the middle of. */
export interface Framing {
  /** What the last reading has completed. */
  readonly found: Framed | undefined;
  /**
   * Reads the bytes from `start` on until something is completed, at most up to `end`.
   * @returns the position behind what was read
   */
  read(bytes: Buffer, start: number, end: number): number;
  /** @returns the unfinished rest that may be a whole text all the same, garbage if it cannot, or undefined. */
  end(): Framed | undefined;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const SPACE = 0x20;
/** The bytes of a byte order mark, which may open a stream. */
const BYTE_ORDER_MARK: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf]);
const TEXT_BYTES_AT_FIRST = 1024;
const NOTHING = Buffer.alloc(0);

/** Bytes collected to be decoded together, so that no character is cut in two. */
class ByteText {
  #bytes: Buffer = NOTHING;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(byte: number): void {
    this.#makeRoom(1);
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  addAll(bytes: Buffer, start: number, end: number): void {
    this.#makeRoom(end - start);
    bytes.copy(this.#bytes, this.#length, start, end);
    this.#length += end - start;
  }

  takeText(): string {
    const text = this.#bytes.toString("utf8", 0, this.#length);
    this.#length = 0;
    return text;
  }

  #makeRoom(added: number): void {
    const needed = this.#length + added;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#length * 2, TEXT_BYTES_AT_FIRST));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

/**
 * Server-sent events. Lines end with LF, CR or CRLF and with nothing else: Unicode line separators occur raw inside
 * Google's JSON. A line that opens a JSON object or array is no field of an event but the raw error that Google
 * appends to a broken stream; it is followed to its closing brace.
 */
export class EventFraming implements Framing {
  found: Framed | undefined;
  readonly #line = new ByteText();
  #data: string[] = [];
  #raw: JsonSpan | undefined;
  #afterReturn = false;
  #started = false;

  read(bytes: Buffer, start: number, end: number): number {
    this.found = undefined;
    let at = start;
    while (at < end && this.found === undefined) {
      const byte = bytes[at] ?? 0;
      if (this.#isOfLine(byte)) {
        at = this.#readLine(bytes, at, end);
      } else {
        this.found = this.#take(byte);
        at += 1;
      }
    }
    return at;
  }

  /** Whether the byte belongs to a line of an event, of which many are read at once. */
  #isOfLine(byte: number): boolean {
    if (this.#raw !== undefined || isLineEnd(byte)) return false;
    if (this.#line.length > 0) return true;
    return byte !== OPEN_BRACE && byte !== OPEN_BRACKET && (this.#started || !BYTE_ORDER_MARK.has(byte));
  }

  /** Reads what is here of the line; a line that is here whole with its end, and without a copy. */
  #readLine(bytes: Buffer, start: number, end: number): number {
    this.#started = true;
    this.#afterReturn = false;
    let at = start + 1;
    while (at < end && !isLineEnd(bytes[at] ?? 0)) at += 1;
    if (at === end || this.#line.length > 0) {
      this.#line.addAll(bytes, start, at);
      return at;
    }
    this.#takeLine(bytes.toString("utf8", start, at));
    this.#afterReturn = bytes[at] === CARRIAGE_RETURN;
    return at + 1;
  }

  /** Takes the end of a line, a byte of a raw error, or one before the stream. */
  #take(byte: number): Framed | undefined {
    if (!this.#started && BYTE_ORDER_MARK.has(byte)) return undefined;
    this.#started = true;
    if (this.#raw !== undefined) return this.#takeRaw(byte, this.#raw);
    const secondOfPair = this.#afterReturn && byte === LINE_FEED;
    this.#afterReturn = byte === CARRIAGE_RETURN;
    if (secondOfPair) return undefined;
    if (isLineEnd(byte)) return this.#endLine();
    this.#raw = new JsonSpan();
    return this.#takeRaw(byte, this.#raw);
  }

  end(): Framed | undefined {
    if (this.#raw !== undefined) return { kind: "text", text: this.#line.takeText() };
    if (this.#line.length > 0) this.#endLine();
    return this.#dispatch();
  }

  #takeRaw(byte: number, span: JsonSpan): Framed | undefined {
    this.#line.add(byte);
    span.take(byte);
    if (span.depth > 0 || span.inString) return undefined;
    this.#raw = undefined;
    return { kind: "text", text: this.#line.takeText() };
  }

  #endLine(): Framed | undefined {
    if (this.#line.length === 0) return this.#dispatch();
    this.#takeLine(this.#line.takeText());
    return undefined;
  }

  #takeLine(line: string): void {
    if (line.startsWith("data:")) this.#data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
  }

  #dispatch(): Framed | undefined {
    if (this.#data.length === 0) return undefined;
    const text = this.#data.join("\n");
    this.#data = [];
    return { kind: "text", text };
  }
}

/** The elements of a JSON array that is streamed one by one; a bare object counts as its own only element. */
export class ElementFraming implements Framing {
  found: Framed | undefined;
  readonly #element = new ByteText();
  #span: JsonSpan | undefined;
  #array: "before" | "open" | "closed" = "before";

  read(bytes: Buffer, start: number, end: number): number {
    this.found = undefined;
    let at = start;
    for (; at < end && this.found === undefined; at += 1) this.found = this.#take(bytes[at] ?? 0);
    return at;
  }

  #take(byte: number): Framed | undefined {
    if (this.#span !== undefined) return this.#takeElement(byte, this.#span);
    if (byte <= SPACE) return undefined;
    if (this.#array === "before" && BYTE_ORDER_MARK.has(byte)) return undefined;
    if (byte === OPEN_BRACE && this.#array !== "closed") {
      this.#span = new JsonSpan();
      return this.#takeElement(byte, this.#span);
    }
    return this.#takeSeparator(byte);
  }

  end(): Framed | undefined {
    const unfinished = this.#span !== undefined || this.#array === "open";
    return unfinished ? { kind: "garbage" } : undefined;
  }

  #takeElement(byte: number, span: JsonSpan): Framed | undefined {
    this.#element.add(byte);
    span.take(byte);
    if (span.depth > 0 || span.inString) return undefined;
    this.#span = undefined;
    if (this.#array === "before") this.#array = "closed";
    return { kind: "text", text: this.#element.takeText() };
  }

  #takeSeparator(byte: number): Framed | undefined {
    if (this.#array === "before" && byte === OPEN_BRACKET) this.#array = "open";
    else if (this.#array === "open" && byte === CLOSE_BRACKET) this.#array = "closed";
    else if (this.#array !== "open" || byte !== COMMA) return { kind: "garbage" };
    return undefined;
  }
}

function isLineEnd(byte: number): boolean {
  return byte === LINE_FEED || byte === CARRIAGE_RETURN;
}
