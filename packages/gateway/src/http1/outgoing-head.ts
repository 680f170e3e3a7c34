/**
 * Writes the head of a request to the upstream. HTTP workers; pure. Writes nothing that could be read as more than one
 * head: what does not fit into a request line is refused, header lines come checked.
 */
import { IS_TOKEN } from "./response-octets.ts";

export interface OutgoingHead {
  readonly method: string;
  /** Path and query as they go out. */
  readonly target: string;
  /** Value of the host header. */
  readonly host: string;
  /** Whole lines, each ended by CR LF, checked. */
  readonly headerLines: string;
  /** Undefined for a body that is sent in chunks. */
  readonly bodyBytes: number | undefined;
}

/** Methods whose requests have a body, possibly an empty one (RFC 9110, 8.6). */
const BODY_EXPECTED: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);
const NOT_IN_TARGET = /[^\u0021-\u00ff]/;

/** The head, each character an octet; undefined for a method or a target that no request line can hold. */
export function outgoingHead({
  method,
  target,
  host,
  headerLines,
  bodyBytes,
}: OutgoingHead): string | undefined {
  if (NOT_IN_TARGET.test(target) || !isToken(method)) return undefined;
  return `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\n${headerLines}${framing(method, bodyBytes)}\r\n`;
}

function framing(method: string, bodyBytes: number | undefined): string {
  if (bodyBytes === undefined) return "transfer-encoding: chunked\r\n";
  return bodyBytes > 0 || BODY_EXPECTED.has(method) ? `content-length: ${bodyBytes}\r\n` : "";
}

function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (IS_TOKEN[text.charCodeAt(at)] !== 1) return false;
  return text.length > 0;
}
