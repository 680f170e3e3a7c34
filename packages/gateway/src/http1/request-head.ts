/**
 * Reads the head of a request that is plainly good, and of no other. Pure; HTTP workers, once per request.
 * Its safety is its narrowness: whatever it accepts, node's own parser accepts with the very same meaning (see
 * test/requests-are-read-as-node-reads-them.test.ts); everything else, malformed, odd or merely rare, is not read here
 * at all but given to that parser.
 */

import type { KnownTexts } from "./known-texts.ts";

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

/** Methods read here, the usual first. */
const METHODS = ["POST", "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"].map((text) => ({
  text,
  octets: Buffer.from(text),
}));
const VERSION = Buffer.from(" HTTP/1.1\r\n");
/** Copied for each request: room for sixteen headers at once. A list that grows from nothing takes three times as much. */
const ROOM: readonly string[] = Array.from({ length: 32 }, () => "");
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
 * @param texts shared by all connections of a worker
 */
export function readRequestHead(
  bytes: Buffer,
  headBytesMax: number,
  headersMax: number,
  texts: KnownTexts,
): RequestHead | undefined {
  const method = methodOf(bytes);
  if (method === undefined) return undefined;
  const targetStart = method.length + 1;
  const targetEnd = endOfTarget(bytes, targetStart);
  if (targetEnd < 0 || !isVersion(bytes, targetEnd)) return undefined;
  const fields = readFields(bytes, targetEnd + VERSION.length, headersMax, texts);
  if (fields === undefined || fields.end > headBytesMax) return undefined;
  return {
    method,
    // Not by `texts`: it may hold a credential.
    target: bytes.toString("latin1", targetStart, targetEnd),
    rawHeaders: fields.rawHeaders,
    bodyBytes: fields.bodyBytes,
    isLast: fields.isLast,
    bytes: fields.end,
  };
}

/** The method, if it is one that is read here and a space follows. */
function methodOf(bytes: Buffer): string | undefined {
  for (const { text, octets } of METHODS) {
    if (bytes[0] === octets[0] && bytes[octets.length] === SPACE && isAt(bytes, 0, octets)) return text;
  }
  return undefined;
}

function isVersion(bytes: Buffer, start: number): boolean {
  return isAt(bytes, start, VERSION);
}

/** Whether these octets are there whole. */
function isAt(bytes: Buffer, start: number, octets: Buffer): boolean {
  if (start + octets.length > bytes.length) return false;
  for (let at = 0; at < octets.length; at += 1) if (bytes[start + at] !== octets[at]) return false;
  return true;
}

/** Where a target in origin form ends that begins at `start`: at a space. -1 when it is in another form, or not whole. */
function endOfTarget(bytes: Buffer, start: number): number {
  const end = bytes.length;
  if (start >= end || bytes[start] !== SLASH) return -1;
  for (let at = start + 1; at < end; at += 1) {
    const octet = bytes[at] ?? 0;
    if (octet === SPACE) return at;
    if (octet < SPACE || octet >= DELETE || octet === HASH) return -1;
  }
  return -1;
}

interface Fields {
  readonly rawHeaders: string[];
  /** Behind the empty line. */
  end: number;
  bodyBytes: number;
  isLast: boolean;
  hasHost: boolean;
  hasConnection: boolean;
  hasLength: boolean;
}

/** The header lines from `start` to the empty line; undefined where that has not come. */
function readFields(bytes: Buffer, start: number, headersMax: number, texts: KnownTexts): Fields | undefined {
  const fields: Fields = {
    rawHeaders: ROOM.slice(),
    end: 0,
    bodyBytes: 0,
    isLast: false,
    hasHost: false,
    hasConnection: false,
    hasLength: false,
  };
  const end = bytes.length;
  const { rawHeaders } = fields;
  let at = start;
  let count = 0;
  while (at < end && bytes[at] !== CR) {
    const nameStart = at;
    while (at < end && TOKEN[bytes[at] ?? 0] === 1) at += 1;
    if (at === nameStart || at === end || bytes[at] !== COLON) return undefined;
    const name = texts.read(bytes, nameStart, at);
    const valueStart = withoutSpace(bytes, at + 1);
    at = endOfValue(bytes, valueStart);
    if (at < 0) return undefined;
    const valueEnd = withoutSpaceBefore(bytes, valueStart, at);
    const value = mayBeCredential(name)
      ? bytes.toString("latin1", valueStart, valueEnd)
      : texts.read(bytes, valueStart, valueEnd);
    if (!takeField(fields, name, value)) return undefined;
    rawHeaders[count] = name;
    rawHeaders[count + 1] = value;
    count += 2;
    if (count > 2 * headersMax) return undefined;
    at += 2;
  }
  rawHeaders.length = count;
  fields.end = at + 2;
  return fields.hasHost && at + 1 < end && bytes[at + 1] === LF ? fields : undefined;
}

/** By the length of a name alone: authorization, x-goog-api-key, cookie, proxy-authorization, and what is as long. */
function mayBeCredential({ length }: string): boolean {
  return length === 13 || length === 14 || length === 6 || length === 19;
}

function withoutSpace(bytes: Buffer, start: number): number {
  const end = bytes.length;
  let at = start;
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
  return at;
}

function withoutSpaceBefore(bytes: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && (bytes[at - 1] === SPACE || bytes[at - 1] === TAB)) at -= 1;
  return at;
}

/** Where the line ends; -1 for a byte that is neither white space nor visible ASCII, half a line end, or no end yet. */
function endOfValue(bytes: Buffer, start: number): number {
  const end = bytes.length - 1;
  for (let at = start; at < end; at += 1) {
    const octet = bytes[at] ?? 0;
    if (octet === CR) return bytes[at + 1] === LF ? at : -1;
    if ((octet < SPACE && octet !== TAB) || octet >= DELETE) return -1;
  }
  return -1;
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
