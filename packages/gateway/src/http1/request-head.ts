/**
 * Reads the head of a request that is plainly good, and of no other. Pure; HTTP workers, once per request.
 * Its safety is its narrowness: whatever it accepts, node's own parser accepts with the very same meaning (see
 * test/requests-are-read-as-node-reads-them.test.ts); everything else, malformed, odd or merely rare, is not read here
 * at all but given to that parser.
 */

/** A head, and where the next byte after it is. */
export interface RequestHead {
  readonly method: string;
  /** Origin form, as sent. */
  readonly target: string;
  /** Names and values by turns, as sent; values without the white space around them. */
  readonly rawHeaders: readonly string[];
  /** Bytes of the body; 0 where no length was declared, since no other framing is read here. */
  readonly bodyBytes: number;
  /** The client wants the connection closed after the answer. */
  readonly isLast: boolean;
  /** Bytes of the head, its empty line included. */
  readonly bytes: number;
}

/** Methods read here; longer than none of them is {@link METHOD_LENGTH_MAX}. */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const METHOD_LENGTH_MAX = 7;
const VERSION = " HTTP/1.1\r\n";
/** Longest content-length read here, digits: below what a double tells exactly. */
const LENGTH_DIGITS_MAX = 15;

const TAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const HASH = 0x23;
const SLASH = 0x2f;
const ZERO = 0x30;
const COLON = 0x3a;
const DELETE = 0x7f;

/** 1 for the characters of a token (RFC 9110, 5.6.2), of which names are made. */
const TOKEN = tableOf("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (let at = 0; at < characters.length; at += 1) table[characters.charCodeAt(at)] = 1;
  return table;
}

/**
 * The head at the beginning of `bytes`; undefined when it is not whole, longer than `headBytesMax`, of more than
 * `headersMax` headers, or not plainly good.
 */
export function readRequestHead(
  bytes: Buffer,
  headBytesMax: number,
  headersMax: number,
): RequestHead | undefined {
  const end = bytes.indexOf("\r\n\r\n", 0, "latin1");
  if (end < 0 || end + 4 > headBytesMax) return undefined;
  // With its empty line: what follows relies on a line end being there.
  const text = bytes.toString("latin1", 0, end + 4);
  const methodEnd = text.indexOf(" ");
  if (methodEnd <= 0 || methodEnd > METHOD_LENGTH_MAX) return undefined;
  const method = text.slice(0, methodEnd);
  if (!METHODS.has(method)) return undefined;
  const targetEnd = endOfTarget(text, methodEnd + 1);
  if (targetEnd < 0 || !text.startsWith(VERSION, targetEnd)) return undefined;
  const fields = readFields(text, targetEnd + VERSION.length, headersMax);
  if (fields === undefined) return undefined;
  return {
    method,
    target: text.slice(methodEnd + 1, targetEnd),
    rawHeaders: fields.rawHeaders,
    bodyBytes: fields.bodyBytes,
    isLast: fields.isLast,
    bytes: end + 4,
  };
}

/** Where a target in origin form ends that begins at `start`: at a space. -1 when it is in another form. */
function endOfTarget(text: string, start: number): number {
  if (text.charCodeAt(start) !== SLASH) return -1;
  for (let at = start + 1; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code === SPACE) return at;
    // The head ends with a line end, so the loop does too.
    if (code < SPACE || code >= DELETE || code === HASH) return -1;
  }
}

interface Fields {
  readonly rawHeaders: string[];
  bodyBytes: number;
  isLast: boolean;
  hasHost: boolean;
  hasConnection: boolean;
  hasLength: boolean;
}

function readFields(text: string, start: number, headersMax: number): Fields | undefined {
  const fields: Fields = {
    rawHeaders: [],
    bodyBytes: 0,
    isLast: false,
    hasHost: false,
    hasConnection: false,
    hasLength: false,
  };
  let at = start;
  while (text.charCodeAt(at) !== CR) {
    const nameStart = at;
    while (TOKEN[text.charCodeAt(at)] === 1) at += 1;
    if (at === nameStart || text.charCodeAt(at) !== COLON) return undefined;
    const name = text.slice(nameStart, at);
    const valueStart = withoutSpace(text, at + 1);
    at = endOfValue(text, valueStart);
    if (at < 0) return undefined;
    const value = text.slice(valueStart, withoutSpaceBefore(text, valueStart, at));
    if (!takeField(fields, name, value)) return undefined;
    if (fields.rawHeaders.push(name, value) > 2 * headersMax) return undefined;
    at += 2;
  }
  return fields.hasHost && at + 2 === text.length ? fields : undefined;
}

function withoutSpace(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) === SPACE || text.charCodeAt(at) === TAB) at += 1;
  return at;
}

function withoutSpaceBefore(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && (text.charCodeAt(at - 1) === SPACE || text.charCodeAt(at - 1) === TAB)) at -= 1;
  return at;
}

/** Where the line ends; -1 for a byte that is neither white space nor visible ASCII, or half a line end. */
function endOfValue(text: string, start: number): number {
  for (let at = start; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code === CR) return text.charCodeAt(at + 1) === LF ? at : -1;
    if ((code < SPACE && code !== TAB) || code >= DELETE) return -1;
  }
}

/** Looks at a header that decides how the message is framed or handled; false when that is not for this reader. */
function takeField(fields: Fields, name: string, value: string): boolean {
  switch (name.length) {
    case 2:
      return name.toLowerCase() !== "te";
    case 4:
      return name.toLowerCase() !== "host" || takeHost(fields);
    case 6:
      return name.toLowerCase() !== "expect";
    case 7:
      return !UNREAD_OF_SEVEN.has(name.toLowerCase());
    case 10:
      return name.toLowerCase() !== "connection" || takeConnection(fields, value);
    case 14:
      return name.toLowerCase() !== "content-length" || takeLength(fields, value);
    case 16:
      return name.toLowerCase() !== "proxy-connection";
    case 17:
      return name.toLowerCase() !== "transfer-encoding";
    default:
      return true;
  }
}

const UNREAD_OF_SEVEN: ReadonlySet<string> = new Set(["upgrade", "trailer"]);

function takeHost(fields: Fields): boolean {
  if (fields.hasHost) return false;
  fields.hasHost = true;
  return true;
}

function takeConnection(fields: Fields, value: string): boolean {
  if (fields.hasConnection) return false;
  fields.hasConnection = true;
  const wish = value.toLowerCase();
  fields.isLast = wish === "close";
  return fields.isLast || wish === "keep-alive";
}

/** Digits only, and none more than needed. */
function takeLength(fields: Fields, value: string): boolean {
  if (fields.hasLength || value.length === 0 || value.length > LENGTH_DIGITS_MAX) return false;
  if (value.length > 1 && value.charCodeAt(0) === ZERO) return false;
  let bytes = 0;
  for (let at = 0; at < value.length; at += 1) {
    const digit = value.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return false;
    bytes = bytes * 10 + digit;
  }
  fields.hasLength = true;
  fields.bodyBytes = bytes;
  return true;
}
