/**
 * Finds where JSON values end in bytes that arrive in pieces, without parsing them.
 * Runs on the HTTP workers. Knows strings and nesting, nothing else: whether a value is valid is for JSON.parse.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Follows one JSON object or array byte by byte. UTF-8 needs no care: its bytes beyond ASCII are none of JSON's. */
export class JsonSpan {
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** Nesting after the bytes so far; 0 before the value and once it is closed. */
  get depth(): number {
    return this.#depth;
  }

  get inString(): boolean {
    return this.#inString;
  }

  /** Takes the next byte. */
  take(byte: number): void {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
      return;
    }
    if (byte === QUOTE) this.#inString = true;
    else if (byte === 0x7b || byte === 0x5b) this.#depth += 1;
    else if (byte === 0x7d || byte === 0x5d) this.#depth -= 1;
  }
}
