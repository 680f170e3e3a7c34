/**
 * Finds the header lines in bytes that come in any pieces, octet by octet, once each. HTTP workers; pure. As strict as a
 * client may be: no folded lines, no space before the colon, every line ended by CR LF and by nothing else.
 * Only finds and checks; what the headers mean is for those who read them.
 */
import { CARRIAGE_RETURN, IS_TEXT, IS_TOKEN, LINE_FEED, SPACE, TAB } from "./response-octets.ts";

const COLON = 0x3a;

const LINE_START = 0;
const NAME = 1;
const BEFORE_VALUE = 2;
const VALUE = 3;
const AFTER_RETURN = 4;
const AFTER_LAST_RETURN = 5;

type State =
  | typeof LINE_START
  | typeof NAME
  | typeof BEFORE_VALUE
  | typeof VALUE
  | typeof AFTER_RETURN
  | typeof AFTER_LAST_RETURN;

/** Numbers kept for each header: where its name and its value begin and end. */
export const SPAN_LENGTH = 4;
/** Numbers whose memory is used again for the next head; a head of more headers leaves its own to the collector. */
const SPANS_KEPT_MAX = 256;

export class HeaderScanner {
  /**
   * Four positions a header: begin and end of its name, begin and end of its value without white space around it. Only
   * the first {@link spansLength} are of this head.
   */
  readonly spans: number[] = [];
  spansLength = 0;
  #state: State = LINE_START;
  /** Where the value begins, and the end of what it has beyond white space. */
  #valueStart = 0;
  #valueEnd = 0;

  /** Begins anew, with the first octet of a header line or of the empty line. */
  begin(): void {
    // Not emptied: a list that is loses its memory, and takes it anew for every answer.
    if (this.spans.length > SPANS_KEPT_MAX) this.spans.length = 0;
    this.spansLength = 0;
    this.#state = LINE_START;
  }

  /**
   * Looks at the octets from `at` to `end`, where it stopped the last time.
   * @returns the position after the empty line, -1 when it has not come yet, -2 for what no header section may hold
   */
  scan(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end) {
      switch (this.#state) {
        case LINE_START:
          if (bytes[at] === CARRIAGE_RETURN) {
            this.#state = AFTER_LAST_RETURN;
            at += 1;
            break;
          }
          if (IS_TOKEN[bytes[at] ?? 0] === 0) return -2;
          this.#mark(at);
          this.#state = NAME;
          break;
        case NAME:
          while (at < end && IS_TOKEN[bytes[at] ?? 0] === 1) at += 1;
          if (at === end) return -1;
          if (bytes[at] !== COLON) return -2;
          this.#mark(at);
          this.#state = BEFORE_VALUE;
          at += 1;
          break;
        case BEFORE_VALUE:
          while (at < end && isBlank(bytes[at])) at += 1;
          if (at === end) return -1;
          this.#valueStart = at;
          this.#valueEnd = at;
          this.#state = VALUE;
          break;
        case VALUE:
          at = this.#scanValue(bytes, at, end);
          if (at < 0) return -2;
          break;
        case AFTER_RETURN:
          if (bytes[at] !== LINE_FEED) return -2;
          this.#state = LINE_START;
          at += 1;
          break;
        case AFTER_LAST_RETURN:
          return bytes[at] === LINE_FEED ? at + 1 : -2;
      }
    }
    return -1;
  }

  #scanValue(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end && IS_TEXT[bytes[at] ?? 0] === 1) at += 1;
    let last = at;
    while (last > from && isBlank(bytes[last - 1])) last -= 1;
    if (last > from) this.#valueEnd = last;
    if (at === end) return at;
    if (bytes[at] !== CARRIAGE_RETURN) return -1;
    this.#mark(this.#valueStart);
    this.#mark(this.#valueEnd);
    this.#state = AFTER_RETURN;
    return at + 1;
  }

  #mark(position: number): void {
    if (this.spansLength < this.spans.length) this.spans[this.spansLength] = position;
    else this.spans.push(position);
    this.spansLength += 1;
  }
}

function isBlank(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB;
}
