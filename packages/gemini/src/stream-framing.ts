/**
 * Cuts the beginning of a stream into JSON texts, one per event or array element, whatever chunks it comes in.
 * Runs on the HTTP workers. Only reads: the bytes themselves are relayed as they came.
 */
import { JsonSpan } from "./json-span.ts";

/** What a framing found: the text of one event or element, or bytes that no such stream holds. */
export type Framed = { readonly kind: "text"; readonly text: string } | { readonly kind: "garbage" };

/** Takes bytes one at a time; `end` gives what the stream stopped in the middle of. */
export interface Framing {
  /** @returns a framed text when this byte completes one. */
  take(byte: number): Framed | undefined;
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

/** Bytes collected to be decoded together, so that no character is cut in two. */
class ByteText {
  #bytes = Buffer.allocUnsafe(TEXT_BYTES_AT_FIRST);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const grown = Buffer.allocUnsafe(this.#length * 2);
      this.#bytes.copy(grown);
      this.#bytes = grown;
    }
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  takeText(): string {
    const text = this.#bytes.toString("utf8", 0, this.#length);
    this.#length = 0;
    return text;
  }
}

/**
 * Server-sent events. Lines end with LF, CR or CRLF and with nothing else: Unicode line separators occur raw inside
 * Google's JSON. A line that opens a JSON object or array is no field of an event but the raw error that Google
 * appends to a broken stream; it is followed to its closing brace.
 */
export class EventFraming implements Framing {
  readonly #line = new ByteText();
  #data: string[] = [];
  #raw: JsonSpan | undefined;
  #afterReturn = false;
  #started = false;

  take(byte: number): Framed | undefined {
    if (!this.#started && BYTE_ORDER_MARK.has(byte)) return undefined;
    this.#started = true;
    if (this.#raw !== undefined) return this.#takeRaw(byte, this.#raw);
    const secondOfPair = this.#afterReturn && byte === LINE_FEED;
    this.#afterReturn = byte === CARRIAGE_RETURN;
    if (secondOfPair) return undefined;
    if (byte === LINE_FEED || byte === CARRIAGE_RETURN) return this.#endLine();
    if (this.#line.length === 0 && (byte === OPEN_BRACE || byte === OPEN_BRACKET)) {
      this.#raw = new JsonSpan();
      return this.#takeRaw(byte, this.#raw);
    }
    this.#line.add(byte);
    return undefined;
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
    const line = this.#line.takeText();
    if (line.startsWith("data:")) this.#data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
    return undefined;
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
  readonly #element = new ByteText();
  #span: JsonSpan | undefined;
  #array: "before" | "open" | "closed" = "before";

  take(byte: number): Framed | undefined {
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
