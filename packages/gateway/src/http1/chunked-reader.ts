/**
 * Takes the framing off a chunked body (RFC 9112, 7.1), in whatever pieces it comes. HTTP workers; pure. What one piece
 * of input holds of the body is moved together inside it, so that it can be handed on as one. Extensions and trailers
 * are checked and dropped.
 */
import { HeaderScanner } from "./header-scanner.ts";
import { CARRIAGE_RETURN, IS_TEXT, IS_TOKEN, LINE_FEED } from "./response-octets.ts";

/** Longest line with a chunk's size and extensions, octets. */
const SIZE_LINE_BYTES_MAX = 4096;
/** Longest trailer section, octets. */
const TRAILER_BYTES_MAX = 16_384;
/** A chunk longer than this is no chunk, bytes: far below where numbers stop being exact. */
const CHUNK_BYTES_MAX = 2 ** 44;

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What must not come behind the body whose framing it claims to be. */
const FRAMING_HEADER = /^(?:content-length|transfer-encoding):/im;

type State =
  | "size-begins"
  | "size"
  | "extension-begins"
  | "extension"
  | "value-begins"
  | "value"
  | "quoted"
  | "quoted-pair"
  | "quoted-ended"
  | "size-line-ends"
  | "data"
  | "data-ended"
  | "data-line-ends"
  | "trailer";

export class ChunkedReader {
  /** Where the body's bytes of the last piece lie in it: from here … */
  dataStart = 0;
  /** … to here. */
  dataEnd = 0;
  #state: State = "size-begins";
  /** Of the chunk: its size while that is read, then what has not come yet. */
  #left = 0;
  /** Octets of the line so far. */
  #lineBytes = 0;
  readonly #trailer = new HeaderScanner();
  #trailerText = "";

  begin(): void {
    this.#state = "size-begins";
    this.#lineBytes = 0;
  }

  /**
   * Reads a piece; may move bytes within it.
   * @returns the position after the body, -1 when there is more to come, -2 for what is no chunked body
   */
  read(bytes: Buffer, from: number, end: number): number {
    this.dataStart = from;
    this.dataEnd = from;
    let at = from;
    while (at < end) {
      if (this.#state === "data") {
        at = this.#takeData(bytes, at, end);
      } else if (this.#state === "trailer") {
        return this.#takeTrailer(bytes, at, end);
      } else {
        this.#lineBytes += 1;
        if (!this.#takeOctet(bytes[at] ?? 0) || this.#lineBytes > SIZE_LINE_BYTES_MAX) return -2;
        at += 1;
      }
    }
    return -1;
  }

  #takeData(bytes: Buffer, at: number, end: number): number {
    const length = Math.min(this.#left, end - at);
    if (this.dataEnd === this.dataStart) {
      this.dataStart = at;
      this.dataEnd = at;
    } else {
      bytes.copyWithin(this.dataEnd, at, at + length);
    }
    this.dataEnd += length;
    this.#left -= length;
    if (this.#left === 0) this.#state = "data-ended";
    return at + length;
  }

  #takeTrailer(bytes: Buffer, at: number, end: number): number {
    const after = this.#trailer.scan(bytes, at, end);
    this.#trailerText += bytes.toString("latin1", at, after < 0 ? end : after);
    if (this.#trailerText.length > TRAILER_BYTES_MAX) return -2;
    return after >= 0 && FRAMING_HEADER.test(this.#trailerText) ? -2 : after;
  }

  /** Takes an octet that is neither data nor trailer; false when it may not stand there. */
  #takeOctet(octet: number): boolean {
    switch (this.#state) {
      case "size-begins":
        this.#left = 0;
        this.#state = "size";
        return this.#takeDigit(octet);
      case "size":
        return this.#takeDigit(octet) || this.#takeSeparator(octet);
      case "size-line-ends":
        this.#endSizeLine();
        return octet === LINE_FEED;
      case "data-ended":
        this.#state = "data-line-ends";
        return octet === CARRIAGE_RETURN;
      case "data-line-ends":
        this.begin();
        return octet === LINE_FEED;
      case "extension-begins":
        this.#state = "extension";
        return IS_TOKEN[octet] === 1;
      case "extension":
        if (octet !== EQUALS) return IS_TOKEN[octet] === 1 || this.#takeSeparator(octet);
        this.#state = "value-begins";
        return true;
      case "value-begins":
        this.#state = octet === QUOTE ? "quoted" : "value";
        return octet === QUOTE || IS_TOKEN[octet] === 1;
      case "value":
        return IS_TOKEN[octet] === 1 || this.#takeSeparator(octet);
      case "quoted":
        if (octet === QUOTE) this.#state = "quoted-ended";
        else if (octet === BACKSLASH) this.#state = "quoted-pair";
        return IS_TEXT[octet] === 1;
      case "quoted-pair":
        this.#state = "quoted";
        return IS_TEXT[octet] === 1;
      case "quoted-ended":
        return this.#takeSeparator(octet);
      case "data":
      case "trailer":
        return false;
    }
  }

  #takeDigit(octet: number): boolean {
    const digit = hexDigit(octet);
    if (digit < 0) return false;
    this.#left = this.#left * 16 + digit;
    return this.#left <= CHUNK_BYTES_MAX;
  }

  #endSizeLine(): void {
    this.#lineBytes = 0;
    if (this.#left > 0) {
      this.#state = "data";
    } else {
      this.#state = "trailer";
      this.#trailer.begin();
      this.#trailerText = "";
    }
  }

  /** What may follow a size, an extension's name or its value. */
  #takeSeparator(octet: number): boolean {
    if (octet === CARRIAGE_RETURN) this.#state = "size-line-ends";
    else if (octet === SEMICOLON) this.#state = "extension-begins";
    else return false;
    return true;
  }
}

/** The value of a hexadecimal digit, -1 for any other octet. */
function hexDigit(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const letter = octet | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
