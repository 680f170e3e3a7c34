/**
 * Which headers cross the gateway, in both directions.
 * Runs on the HTTP workers, once per attempt. Must never let a client's credential, the client's identity or the
 * gateway's existence through to the upstream, nor a header about the upstream's connection to the client.
 */

/** Headers about one connection (RFC 9110, 7.6.1); those that `Connection` names are added per message. */
const HOP_BY_HOP: readonly string[] = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

const NOT_UPSTREAM: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  // Credentials.
  "authorization",
  "x-goog-api-key",
  "cookie",
  "cookie2",
  // Set anew for the upstream connection.
  "host",
  "content-length",
  "expect",
  "accept-encoding",
  // Who and where the caller is.
  "accept-language",
  "forwarded",
  "via",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "true-client-ip",
  "fastly-client-ip",
  "origin",
  "referer",
  "baggage",
  "x-request-id",
  "traceparent",
  "tracestate",
  "x-cloud-trace-context",
  "x-amzn-trace-id",
  "x-gemini-api-privileged-user-id",
  // Would charge another project's quota than the key's.
  "x-goog-user-project",
]);

/** `sec-` covers what browsers add of themselves (`sec-fetch-*`, `sec-ch-*`, `sec-gpc`). */
const NOT_UPSTREAM_PREFIXES: readonly string[] = ["sec-", "x-forwarded-", "cf-", "x-gateway-"];

const NOT_TO_CLIENT: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  // Would send the client past us to HTTP/3 on a port we do not serve.
  "alt-svc",
  "set-cookie",
  "set-cookie2",
  // Would bind the gateway's own host name to Google's transport and reporting rules.
  "strict-transport-security",
  "public-key-pins",
  "report-to",
  "reporting-endpoints",
  "nel",
  "clear-site-data",
  // The gateway's own words about the request.
  "x-request-id",
]);

/** The gateway writes its own CORS headers; a second set makes browsers refuse the answer. */
const NOT_TO_CLIENT_PREFIXES: readonly string[] = ["access-control-", "x-gateway-"];

const NONE: ReadonlySet<string> = new Set();

function hasPrefix(name: string, prefixes: readonly string[]): boolean {
  for (const prefix of prefixes) if (name.startsWith(prefix)) return true;
  return false;
}

/** Names the `Connection` headers declare to be for this hop only, lower-cased. */
function connectionNames(rawHeaders: readonly string[]): ReadonlySet<string> {
  let names: Set<string> | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (name.length !== "connection".length || name.toLowerCase() !== "connection") continue;
    const value = (rawHeaders[index + 1] ?? "").toLowerCase();
    // What nearly every message says, and what is stripped anyway.
    if (value === "keep-alive" || value === "close") continue;
    names ??= new Set();
    for (const token of value.split(",")) names.add(token.trim());
  }
  return names ?? NONE;
}

/** Whether a header of the client is for this hop, for us, or about the client. */
function isKeptFromUpstream(lowerName: string): boolean {
  return NOT_UPSTREAM.has(lowerName) || hasPrefix(lowerName, NOT_UPSTREAM_PREFIXES);
}

/**
 * Headers of the request to the upstream, flat `[name, value, ...]`: the client's own (`user-agent` and
 * `x-goog-api-client` included, none invented), with exactly one credential, or none where the URL is one.
 * Asks for `identity` so that answers can be inspected and errors redacted without decompressing them.
 *
 * @param rawHeaders flat headers of the client's request, as they came.
 * @param credential the pool key to serve with; "" for none.
 */
export function upstreamHeaders(rawHeaders: readonly string[], credential: string): string[] {
  const headers: string[] = [];
  const hop = connectionNames(rawHeaders);
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    const lowerName = name.toLowerCase();
    if (hop.has(lowerName) || isKeptFromUpstream(lowerName)) continue;
    headers.push(name, rawHeaders[index + 1] ?? "");
  }
  if (credential !== "") headers.push("x-goog-api-key", credential);
  headers.push("accept-encoding", "identity");
  return headers;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Control characters but the tab, and what is no octet. */
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
/** Spellings of header names of which is remembered what becomes of them. */
const NAMES_MAX = 1024;
/** Longer names are looked at anew each time, characters. */
const NAME_LENGTH_MAX = 64;
/** Places in a head whose last line is remembered; longer lines are not, characters. */
const LINES_KEPT_MAX = 64;
const LINE_LENGTH_MAX = 256;

interface WrittenLine {
  readonly beginning: string;
  readonly value: string;
  readonly line: string;
}

/**
 * The same headers as {@link upstreamHeaders}, as the lines of an HTTP/1.1 head. What becomes of a name is remembered by
 * its exact spelling: clients send the same dozen in every request.
 */
export class UpstreamHeaderLines {
  /** Name and colon of a header that goes on; "" for one that does not. */
  readonly #beginnings = new Map<string, string>();
  /** Lines as they were last written at their place: checked once, and the same in most requests. */
  readonly #lines: WrittenLine[] = [];

  /**
   * Lines, each ended by CR LF and made of octets; no credential when it is "".
   * @returns undefined when a header holds what no message may carry
   */
  of(rawHeaders: readonly string[], credential: string): string | undefined {
    const hop = connectionNames(rawHeaders);
    let lines = "";
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      const name = rawHeaders[index] ?? "";
      const beginning = this.#beginnings.get(name) ?? this.#learn(name);
      if (beginning === undefined) return undefined;
      if (beginning === "" || (hop.size > 0 && hop.has(name.toLowerCase()))) continue;
      const line = this.#lineOf(index >> 1, beginning, rawHeaders[index + 1] ?? "");
      if (line === undefined) return undefined;
      lines += line;
    }
    if (NOT_IN_VALUE.test(credential)) return undefined;
    const key = credential === "" ? "" : `x-goog-api-key: ${credential}\r\n`;
    return `${lines}${key}accept-encoding: identity\r\n`;
  }

  /** Of a header that goes on: no credential, those never do. */
  #lineOf(place: number, beginning: string, value: string): string | undefined {
    const known = this.#lines[place];
    if (known !== undefined && known.beginning === beginning && known.value === value) return known.line;
    if (NOT_IN_VALUE.test(value)) return undefined;
    const line = `${beginning}${value}\r\n`;
    if (place < LINES_KEPT_MAX && line.length <= LINE_LENGTH_MAX)
      this.#lines[place] = { beginning, value, line };
    return line;
  }

  #learn(name: string): string | undefined {
    if (!TOKEN.test(name)) return undefined;
    const beginning = isKeptFromUpstream(name.toLowerCase()) ? "" : `${name}: `;
    if (name.length > NAME_LENGTH_MAX) return beginning;
    if (this.#beginnings.size >= NAMES_MAX) this.#beginnings.clear();
    this.#beginnings.set(name, beginning);
    return beginning;
  }
}

export interface ClientHeaderOptions {
  /** Whether the body goes out byte for byte, so that the upstream's content-length still holds. */
  readonly keepLength: boolean;
}

/** What becomes of a header of the answer: `length` is passed on where it still holds. */
type Fate = "kept" | "dropped" | "length";

/** Filters the headers of answers. What becomes of a name is remembered by its spelling, as for requests. */
export class ClientHeaders {
  readonly #fates = new Map<string, Fate>();

  /**
   * Headers of the answer to the client, flat, in the upstream's order.
   *
   * @param rawHeaders flat headers of the upstream's answer.
   */
  of(rawHeaders: readonly string[], { keepLength }: ClientHeaderOptions): string[] {
    // A copy that is cut at the end: a list that grows from nothing takes three times the memory on the way.
    const headers = rawHeaders.slice();
    const hop = connectionNames(rawHeaders);
    let count = 0;
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      const name = rawHeaders[index] ?? "";
      const fate = this.#fates.get(name) ?? this.#learn(name);
      if (fate === "dropped" || (fate === "length" && !keepLength)) continue;
      if (hop.size > 0 && hop.has(name.toLowerCase())) continue;
      headers[count] = name;
      headers[count + 1] = rawHeaders[index + 1] ?? "";
      count += 2;
    }
    headers.length = count;
    return headers;
  }

  #learn(name: string): Fate {
    const lowerName = name.toLowerCase();
    const isDropped = NOT_TO_CLIENT.has(lowerName) || hasPrefix(lowerName, NOT_TO_CLIENT_PREFIXES);
    const fate = isDropped ? "dropped" : lowerName === "content-length" ? "length" : "kept";
    if (name.length > NAME_LENGTH_MAX) return fate;
    if (this.#fates.size >= NAMES_MAX) this.#fates.clear();
    this.#fates.set(name, fate);
    return fate;
  }
}
