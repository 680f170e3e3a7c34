/**
 * Reads the status line of an answer octet by octet. HTTP workers; pure. Takes HTTP/1.0 and HTTP/1.1, three digits, and a
 * reason phrase or none.
 */
import { CARRIAGE_RETURN, IS_TEXT, LINE_FEED, SPACE } from "./response-octets.ts";

const VERSION = Buffer.from("HTTP/1.");
const MINOR_AT = VERSION.length;
const CODE_AT = MINOR_AT + 2;
const CODE_END = CODE_AT + 3;
const ZERO = 0x30;

export class StatusLine {
  status = 0;
  /** 0 or 1, of the version. */
  minor = 1;
  /** Octets seen. */
  #length = 0;
  #sawReturn = false;

  begin(): void {
    this.status = 0;
    this.#length = 0;
    this.#sawReturn = false;
  }

  /** @returns the position after the line, -1 when its end has not come yet, -2 for what is no status line */
  scan(bytes: Uint8Array, from: number, end: number): number {
    for (let at = from; at < end; at += 1) {
      const octet = bytes[at] ?? 0;
      if (this.#sawReturn) return octet === LINE_FEED && this.status >= 100 ? at + 1 : -2;
      if (this.#length >= CODE_END && octet === CARRIAGE_RETURN) this.#sawReturn = true;
      else if (!this.#take(octet)) return -2;
    }
    return -1;
  }

  #take(octet: number): boolean {
    const position = this.#length;
    this.#length += 1;
    if (position < MINOR_AT) return octet === VERSION[position];
    if (position === MINOR_AT) {
      this.minor = octet - ZERO;
      return this.minor === 0 || this.minor === 1;
    }
    if (position < CODE_AT || position === CODE_END) return octet === SPACE;
    if (position > CODE_END) return IS_TEXT[octet] === 1;
    const digit = octet - ZERO;
    this.status = this.status * 10 + digit;
    return digit >= 0 && digit <= 9;
  }
}
