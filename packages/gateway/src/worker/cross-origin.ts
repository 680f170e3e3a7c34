/** What browsers need before they let a page call the gateway (CORS). Worker threads. */
import { isLoopback } from "../config/loopback.ts";
import type { GatewayConfig } from "../config.ts";
import { headerOf } from "../http1/header-list.ts";
import type { ClientCall, ClientRequest } from "./client/client-call.ts";

type Head = Pick<ClientRequest, "rawHeaders">;

const ALLOWED_METHODS = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS";
const ALLOWED_HEADERS_DEFAULT =
  "authorization, content-type, x-goog-api-key, x-goog-api-client, x-server-timeout, x-goog-upload-command, " +
  "x-goog-upload-header-content-length, x-goog-upload-header-content-type, x-goog-upload-offset, " +
  "x-goog-upload-protocol, x-goog-upload-file-name, x-gateway-debug";
const EXPOSED_HEADERS =
  "retry-after, x-request-id, x-gateway-attempts, x-gateway-left-out, x-goog-upload-url, x-goog-upload-status, " +
  "x-goog-upload-chunk-granularity, x-gemini-service-tier";
/** How long a browser may remember a preflight, seconds. */
const PREFLIGHT_SECONDS = "7200";
/** Longest list of requested headers echoed back, characters. */
const REQUESTED_HEADERS_MAX = 4096;

export class CrossOrigin {
  readonly #origins: ReadonlySet<string>;
  readonly #any: boolean;
  readonly #anonymousOrigins: ReadonlySet<string>;

  /**
   * @param origins exact origins; "*" for all, nothing for none
   * @param anonymousOrigins the same for callers without an auth key; "local" for pages of this machine
   */
  constructor({ origins, anonymousOrigins }: GatewayConfig["cors"]) {
    this.#origins = new Set(origins);
    this.#any = this.#origins.has("*");
    this.#anonymousOrigins = new Set(anonymousOrigins);
  }

  /**
   * Whether the request was sent by a page that must bring an auth key. A browser sends such requests for any page
   * that asks it to, and CORS only keeps the answer from the page: the quota would be spent all the same.
   */
  isForeign({ rawHeaders }: Head): boolean {
    const origin = headerOf(rawHeaders, "origin");
    if (origin === undefined || this.#anonymousOrigins.has("*")) return false;
    if (this.#anonymousOrigins.has(origin)) return false;
    return !(this.#anonymousOrigins.has("local") && isLocalPage(origin));
  }

  /**
   * Whether a page sent it that may not call the gateway at all. A WebSocket is open to every page, CORS does not keep
   * its messages from them.
   */
  isShutOut({ rawHeaders }: Head): boolean {
    const origin = headerOf(rawHeaders, "origin");
    return origin !== undefined && this.#allowedOrigin(origin) === undefined;
  }

  /** Headers for an answer to this request, as a flat list; empty for a request that is no browser's. */
  headersFor({ rawHeaders }: Head): readonly string[] {
    const origin = headerOf(rawHeaders, "origin");
    if (origin === undefined) return [];
    const allowed = this.#allowedOrigin(origin);
    if (allowed === undefined) return [];
    return [
      "access-control-allow-origin",
      allowed,
      "access-control-expose-headers",
      EXPOSED_HEADERS,
      "vary",
      "Origin",
    ];
  }

  /** Answers a preflight request, or an `OPTIONS` that is none; `headers` (a flat list) are added. */
  answerPreflight(call: ClientCall, headers: readonly string[]): void {
    const origin = headerOf(call.rawHeaders, "origin");
    const allowed = origin === undefined ? undefined : this.#allowedOrigin(origin);
    const leave = allowed === undefined ? ["allow", ALLOWED_METHODS] : leaveFor(call, allowed);
    call.send(204, [...leave, ...headers], "");
  }

  #allowedOrigin(origin: string): string | undefined {
    if (this.#any) return "*";
    return this.#origins.has(origin) ? origin : undefined;
  }
}

function isLocalPage(origin: string): boolean {
  const host = /^https?:\/\/(?:\[([^\]]+)\]|([^:/]+))(?::\d+)?$/.exec(origin);
  return host !== null && isLoopback(host[1] ?? host[2] ?? "");
}

function leaveFor({ rawHeaders }: ClientRequest, origin: string): string[] {
  const requested = headerOf(rawHeaders, "access-control-request-headers");
  const isEchoed = requested !== undefined && requested.length <= REQUESTED_HEADERS_MAX;
  const headers: Record<string, string> = {
    "access-control-allow-origin": origin,
    "access-control-allow-methods": ALLOWED_METHODS,
    // `*` would not cover Authorization.
    "access-control-allow-headers": isEchoed ? requested : ALLOWED_HEADERS_DEFAULT,
    "access-control-max-age": PREFLIGHT_SECONDS,
    vary: "Origin, Access-Control-Request-Headers",
  };
  // A page on the public web may only call a private address if the server says so.
  if (headerOf(rawHeaders, "access-control-request-private-network") === "true") {
    headers["access-control-allow-private-network"] = "true";
  }
  return Object.entries(headers).flat();
}
