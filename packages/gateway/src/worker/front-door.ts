/**
 * Lets a request in or turns it away: probes, preflights, unknown paths, callers without leave, too much at once.
 * Worker threads. Costs no key and reads no body.
 */
import type { ErrorCode } from "@gemini-gateway/core/error-codes";
import { answerDialect } from "@gemini-gateway/gemini/error-answer";
import { routeRequest, type Route } from "@gemini-gateway/gemini/route";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Authenticator, type Caller } from "./auth.ts";
import { CrossOrigin } from "./cross-origin.ts";
import { Exchange } from "./exchange.ts";
import { ownAnswer, sendOwnAnswer } from "./own-answer.ts";
import type { RequestIds } from "./request-ids.ts";
import type { Service } from "./service.ts";

/** What a client turned away for want of room is told, milliseconds. */
const BUSY_RETRY_MS = 1000;

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);

const PROBES = ["/healthz", "/readyz"] as const;
type Probe = (typeof PROBES)[number];

export class FrontDoor {
  readonly #service: Service;
  readonly #authenticator: Authenticator;
  readonly #crossOrigin: CrossOrigin;
  readonly #requestIds: RequestIds;

  constructor(service: Service, requestIds: RequestIds) {
    this.#service = service;
    this.#authenticator = new Authenticator(service.config.authKey);
    this.#crossOrigin = new CrossOrigin(service.config.cors.origins);
    this.#requestIds = requestIds;
  }

  /** Handles one request from its head on. Never throws. */
  receive(request: IncomingMessage, response: ServerResponse): void {
    const startedAtMs = this.#service.now();
    const url = request.url ?? "/";
    const method = request.method ?? "GET";
    if (method === "OPTIONS") {
      this.#crossOrigin.answerPreflight(request, response);
      return;
    }
    const probe = this.#probeOf(url);
    if (probe !== undefined) {
      this.#answerProbe(probe, response);
      return;
    }
    const requestId = this.#requestIds.next();
    const extraHeaders = ["x-request-id", requestId, ...this.#crossOrigin.headersFor(request)];
    const route = this.#routeOf(method, url);
    if (route === undefined) {
      this.#turnAway(request, response, METHODS.has(method) ? "not-found" : "method-not-allowed", undefined, extraHeaders);
      return;
    }
    const caller = this.#authenticator.identify(request.rawHeaders, url);
    const refusal = this.#refusalFor(method, caller);
    if (refusal !== undefined) {
      this.#turnAway(request, response, refusal, route, extraHeaders);
      return;
    }
    new Exchange(this.#service, request, response, { route, caller, requestId, startedAtMs, extraHeaders }).begin();
  }

  /** Below the path prefix, or without it: a reverse proxy in front may take it off. */
  #routeOf(method: string, url: string): Route | undefined {
    const { pathPrefix } = this.#service.config;
    const route = routeRequest(method, url, { pathPrefix });
    return route === undefined && pathPrefix !== "" ? routeRequest(method, url) : route;
  }

  #probeOf(url: string): Probe | undefined {
    const { pathPrefix } = this.#service.config;
    return PROBES.find((probe) => url === probe || url === pathPrefix + probe);
  }

  /** Why this caller may not come in; on undefined a place among the concurrent requests has been taken. */
  #refusalFor(method: string, caller: Caller): ErrorCode | undefined {
    const { config, counters } = this.#service;
    if (!METHODS.has(method)) return "method-not-allowed";
    if (!caller.authenticated && config.anonymous === "denied") return "unauthenticated";
    if (!counters.tryAdd("requests", 1, config.limits.requests)) return "too-many-requests-at-once";
    return undefined;
  }

  #answerProbe(probe: Probe, response: ServerResponse): void {
    const { readiness } = this.#service.counters;
    const good = probe === "/healthz" || readiness === "ready";
    const body = `${JSON.stringify(probe === "/healthz" ? { status: "alive" } : { status: readiness })}\n`;
    response.writeHead(good ? 200 : 503, ["content-type", "application/json", "cache-control", "no-store"]);
    response.end(body);
  }

  #turnAway(
    request: IncomingMessage,
    response: ServerResponse,
    code: ErrorCode,
    route: Route | undefined,
    extraHeaders: readonly string[],
  ): void {
    const dialect = route === undefined ? "native" : answerDialect(route);
    const retryAfterMs = code === "too-many-requests-at-once" ? BUSY_RETRY_MS : undefined;
    const hasBody = request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
    // A body nobody will read: drop the connection after the answer instead of swallowing it.
    const headers = hasBody ? [...extraHeaders, "connection", "close"] : extraHeaders;
    sendOwnAnswer(response, ownAnswer(code, dialect, retryAfterMs), headers);
  }
}
