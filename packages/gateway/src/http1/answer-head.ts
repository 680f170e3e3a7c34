/**
 * What the head of an answer says: status, headers, and how its body is framed (RFC 9112, 6.3). HTTP workers; pure. Two
 * lengths, or a length beside a transfer coding, are refused: whoever sits behind us might read the other one.
 */
import { SPAN_LENGTH, type HeaderScanner } from "./header-scanner.ts";
import type { KnownTexts } from "./known-texts.ts";
import { SPACE, TAB } from "./response-octets.ts";

export interface AnswerHead {
  readonly status: number;
  /** Names and values by turns, as they came, each character an octet. */
  readonly rawHeaders: readonly string[];
  /** "" when there is none. */
  readonly contentType: string;
}

export type BodyFraming = "none" | "sized" | "chunked" | "until-close";

/** A head with what only the connection needs to know. */
export interface FramedHead extends AnswerHead {
  readonly framing: BodyFraming;
  /** Length of a sized body, bytes. */
  readonly bodyBytes: number;
  /** Whether the connection may serve another request. */
  readonly isKept: boolean;
  /** How long the server keeps the connection when it is not used, seconds; undefined when it does not say. */
  readonly keptSeconds: number | undefined;
}

/** What headers say together of the body and the connection. */
interface Hints {
  bodyBytes: number;
  isChunked: boolean;
  isClosing: boolean;
  isKeeping: boolean;
  keptSeconds: number | undefined;
  contentType: string;
}

/** Longest length that is read, decimal digits: below where numbers stop being exact. */
const LENGTH = /^\d{1,15}$/;
const KEPT_SECONDS = /(?:^|[,;\s])timeout=(\d{1,9})/i;
const JUST_KEPT_SECONDS = /^timeout=\d{1,9}$/;
const TIMEOUT_LENGTH = "timeout=".length;

/** Copied for each answer: room for its headers at once. A list that grows from nothing takes three times as much. */
const ROOM: readonly string[] = Array.from({ length: 128 }, () => "");

/** What was found out about a head on the way. */
export interface HeadParts {
  readonly status: number;
  /** Of the version, 0 or 1. */
  readonly minor: number;
  /** Whether the request was one whose answer has no body. */
  readonly isBodiless: boolean;
}

/**
 * @param bytes the head, of which `spans` names the parts
 * @returns undefined when its headers contradict each other
 */
export function readHead(
  bytes: Buffer,
  { spans, spansLength }: Pick<HeaderScanner, "spans" | "spansLength">,
  { status, minor, isBodiless }: HeadParts,
  texts: KnownTexts,
): FramedHead | undefined {
  const rawHeaders = ROOM.slice(0, (spansLength / SPAN_LENGTH) * 2);
  const hints: Hints = {
    bodyBytes: -1,
    isChunked: false,
    isClosing: false,
    isKeeping: false,
    keptSeconds: undefined,
    contentType: "",
  };
  let count = 0;
  let codingEnd = -1;
  for (let at = 0; at < spansLength; at += SPAN_LENGTH) {
    const name = texts.read(bytes, spans[at] ?? 0, spans[at + 1] ?? 0);
    const value = texts.read(bytes, spans[at + 2] ?? 0, spans[at + 3] ?? 0);
    rawHeaders[count] = name;
    rawHeaders[count + 1] = value;
    count += 2;
    if (!heed(name, value, hints)) return undefined;
    if (hints.isChunked && codingEnd < 0) codingEnd = spans[at + 3] ?? 0;
  }
  const { bodyBytes, isChunked, isClosing, isKeeping, keptSeconds, contentType } = hints;
  // HTTP/1.0 knows no transfer codings.
  if (isChunked && (bodyBytes >= 0 || minor === 0 || isTabBehind(bytes, codingEnd))) return undefined;
  const isEmpty = isBodiless || status < 200 || status === 204 || status === 304;
  const framing = isEmpty ? "none" : isChunked ? "chunked" : bodyBytes >= 0 ? "sized" : "until-close";
  // A body that must not be there may come all the same.
  const isDoubtful = framing === "none" && !isBodiless && (isChunked || bodyBytes > 0);
  const isKept = framing !== "until-close" && !isDoubtful && !isClosing && (minor === 1 || isKeeping);
  return { status, rawHeaders, contentType, framing, bodyBytes, isKept, keptSeconds };
}

/**
 * Whether the white space behind a value holds a tab. llhttp, and so many a reader, takes "chunked" before one for
 * another coding.
 */
function isTabBehind(bytes: Buffer, valueEnd: number): boolean {
  let at = valueEnd;
  while (bytes[at] === SPACE) at += 1;
  return bytes[at] === TAB;
}

/** Takes note of a header; false when it cannot stand beside the others. */
function heed(name: string, value: string, hints: Hints): boolean {
  switch (name.length) {
    case 10:
      heedConnection(name.toLowerCase(), value, hints);
      return true;
    case 12:
      if (hints.contentType === "" && name.toLowerCase() === "content-type") hints.contentType = value;
      return true;
    case 14:
      return name.toLowerCase() !== "content-length" || heedLength(value, hints);
    case 17: {
      if (name.toLowerCase() !== "transfer-encoding") return true;
      const isGood = !hints.isChunked && value.toLowerCase() === "chunked";
      hints.isChunked = true;
      return isGood;
    }
    default:
      return true;
  }
}

function heedLength(value: string, hints: Hints): boolean {
  if (hints.bodyBytes >= 0 || !LENGTH.test(value)) return false;
  hints.bodyBytes = Number(value);
  return true;
}

function heedConnection(lowerName: string, value: string, hints: Hints): void {
  if (lowerName === "keep-alive") {
    hints.keptSeconds = keptSecondsOf(value) ?? hints.keptSeconds;
  } else if (lowerName === "connection") {
    // What nearly all say.
    if (value === "keep-alive") hints.isKeeping = true;
    else heedConnectionTokens(value, hints);
  }
}

function heedConnectionTokens(value: string, hints: Hints): void {
  for (const token of value.toLowerCase().split(",")) {
    if (token.trim() === "close") hints.isClosing = true;
    else if (token.trim() === "keep-alive") hints.isKeeping = true;
  }
}

function keptSecondsOf(value: string): number | undefined {
  // As most servers write it: without a list of matches.
  if (JUST_KEPT_SECONDS.test(value)) return Number(value.slice(TIMEOUT_LENGTH));
  const seconds = KEPT_SECONDS.exec(value)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}
