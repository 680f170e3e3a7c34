/**
 * Lets a request in or turns it away: probes, preflights, unknown paths, callers without leave, too much at once.
 * Worker threads. Costs no key and reads no body.
 */
import { type Address, formatAddress } from "@gemini-gateway/core/network/address";
import { answerDialect } from "@gemini-gateway/gemini/error-answer";
import { quotaLane } from "@gemini-gateway/gemini/quota-lane";
import { redactKeyShapes } from "@gemini-gateway/gemini/redact";
import { routeRequest, type Route } from "@gemini-gateway/gemini/route";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Caller } from "./auth.ts";
import type { PageName } from "../protocol.ts";
import { CrossOrigin } from "./cross-origin.ts";
import { Exchange } from "./exchange.ts";
import type { Refusal } from "./guard/refusal.ts";
import { METHODS, ownAnswer, sendRefusal } from "./own-answer.ts";
import { pageAt, pageRefusal } from "./page-desk.ts";
import type { RequestIds } from "./request-ids.ts";
import { rowOf } from "./request-record.ts";
import type { Service } from "./service.ts";

/** What a client turned away for want of room is told, milliseconds. */
const BUSY_RETRY_MS = 1000;

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);
/** What a client puts before the path when it takes the gateway for a proxy (RFC 9112, 3.2.2). */
const ABSOLUTE_FORM_START = /^https?:\/\/[^/?#]*/i;

const PROBES = ["/healthz", "/readyz"] as const;
type Probe = (typeof PROBES)[number];

export class FrontDoor {
  #service: Service;
  #crossOrigin: CrossOrigin;
  readonly #requestIds: RequestIds;

  constructor(service: Service, requestIds: RequestIds) {
    this.#service = service;
    this.#crossOrigin = new CrossOrigin(service.config.cors);
    this.#requestIds = requestIds;
  }

  /** Another service from now on, under another configuration; requests under way keep theirs. */
  serve(service: Service): void {
    this.#service = service;
    this.#crossOrigin = new CrossOrigin(service.config.cors);
  }

  /** Handles one request from its head on. Never throws. */
  receive(request: IncomingMessage, response: ServerResponse): void {
    const arrival: Arrival = {
      request,
      response,
      method: request.method ?? "GET",
      url: originForm(request.url ?? "/"),
      requestId: this.#requestIds.next(),
      startedAtMs: this.#service.now(),
    };
    const probe = this.#probeOf(arrival.url);
    const page = pageAt(pathOf(arrival.url), this.#service.config.pathPrefix);
    if (arrival.method === "OPTIONS") {
      this.#crossOrigin.answerPreflight(request, response, ["x-request-id", arrival.requestId]);
    } else if (page !== undefined) {
      this.#answerPage(page, arrival);
    } else if (probe === undefined) {
      this.#admit(arrival);
    } else {
      this.#answerProbe(probe, arrival);
    }
  }

  #admit(arrival: Arrival): void {
    const { request, response, method, url, requestId, startedAtMs } = arrival;
    const { guard } = this.#service;
    const visitor = { caller: guard.identify(request.rawHeaders, url), address: guard.addressOf(request) };
    // Before anything else is looked at: an address that asks for nonsense is limited like any other.
    const early = guard.refuseCaller(visitor.caller, visitor.address, startedAtMs);
    const route = this.#routeOf(method, url);
    const refusal = early ?? this.#refusalFor(request, visitor.caller, route);
    if (refusal !== undefined || route === undefined) {
      this.#turnAway(arrival, visitor, refusal ?? { code: "not-found" }, route);
      return;
    }
    const extraHeaders = this.#extraHeaders(arrival);
    const { caller } = visitor;
    const address = addressText(visitor, request);
    const admission = { route, caller, address, requestId, startedAtMs, extraHeaders };
    new Exchange(this.#service, request, response, admission).begin();
  }

  /** Headers every answer carries; a flat list. */
  #extraHeaders({ request, requestId }: Arrival): readonly string[] {
    return ["x-request-id", requestId, ...this.#crossOrigin.headersFor(request)];
  }

  /** Below the path prefix, or without it: a reverse proxy in front may take it off. */
  #routeOf(method: string, url: string): Route | undefined {
    const { pathPrefix } = this.#service.config;
    const route = routeRequest(method, url, { pathPrefix });
    return route === undefined && pathPrefix !== "" ? routeRequest(method, url) : route;
  }

  #probeOf(url: string): Probe | undefined {
    const { pathPrefix } = this.#service.config;
    const path = pathOf(url);
    return PROBES.find((probe) => path === probe || path === pathPrefix + probe);
  }

  /** Why this caller may not come in; on undefined it has its place among the requests in progress. */
  #refusalFor(request: IncomingMessage, caller: Caller, route: Route | undefined): Refusal | undefined {
    const { method = "", headers, httpVersion } = request;
    if (!KNOWN_METHODS.has(method)) return { code: "method-not-allowed" };
    if (route === undefined) return { code: "not-found" };
    if (headers.host === undefined && httpVersion !== "1.0") return { code: "malformed-request" };
    const { config, counters, guard } = this.#service;
    if (!caller.authenticated && config.anonymous === "denied") return { code: "unauthenticated" };
    if (!caller.authenticated && this.#crossOrigin.isForeign(request)) return { code: "foreign-page" };
    const refusal = route.modelInBody
      ? undefined
      : guard.refuseModel(caller, route.model, quotaLane(route, route.model ?? ""));
    if (refusal !== undefined) return refusal;
    if (!counters.tryAdd("requests", 1, config.limits.requests)) {
      return { code: "too-many-requests-at-once", retryAfterMs: BUSY_RETRY_MS };
    }
    const full = guard.enter(caller);
    if (full !== undefined) counters.subtract("requests", 1);
    return full;
  }

  #answerProbe(probe: Probe, arrival: Arrival): void {
    const { readiness, database } = this.#service.counters;
    const good = probe === "/healthz" || readiness === "ready";
    // Without its database the gateway serves all the same: that is told, and no reason to send requests elsewhere.
    const trouble = database === "ok" ? {} : { database };
    const state = probe === "/healthz" ? { status: "alive" } : { status: readiness, ...trouble };
    const body = `${JSON.stringify(state)}\n`;
    const headers = [
      "content-type",
      "application/json",
      "content-length",
      String(body.length),
      "cache-control",
      "no-store",
    ];
    arrival.response.writeHead(good ? 200 : 503, [...headers, ...this.#extraHeaders(arrival)]);
    arrival.response.end(body);
  }

  /** `/status` and `/metrics`, for those who may read them. */
  #answerPage(page: PageName, arrival: Arrival): void {
    const { request, response, method, url, startedAtMs } = arrival;
    const { guard, pages, config } = this.#service;
    const visitor = { caller: guard.identify(request.rawHeaders, url), address: guard.addressOf(request) };
    const code = pageRefusal(page, method, visitor.caller, config.metricsAccess);
    if (code === undefined) {
      pages.serve(page, { response, extraHeaders: this.#extraHeaders(arrival) });
      return;
    }
    // Whoever guesses at auth keys here is limited like any other.
    const early = guard.refuseCaller(visitor.caller, visitor.address, startedAtMs);
    this.#turnAway(arrival, visitor, early ?? { code }, undefined);
  }

  #turnAway(arrival: Arrival, visitor: Visitor, refusal: Refusal, route: Route | undefined): void {
    const dialect = route === undefined ? "native" : answerDialect(route);
    const answer = ownAnswer(refusal.code, dialect, refusal.retryAfterMs);
    sendRefusal(arrival.response, answer, this.#extraHeaders(arrival));
    const atMs = this.#service.now();
    this.#service.turnedAway(
      rowOf({
        atMs,
        startedAtMs: arrival.startedAtMs,
        firstByteAtMs: atMs,
        requestId: arrival.requestId,
        method: arrival.method,
        path: route?.upstreamPath ?? pathToTell(arrival.url),
        model: route?.model ?? "",
        status: answer.status,
        outcome: "refused",
        reason: refusal.code,
        notes: [],
        bytesIn: 0,
        bytesOut: answer.body.length,
        usage: undefined,
        client: visitor.caller.name,
        address: addressText(visitor, arrival.request),
      }),
    );
  }
}

/** One request at the door. */
interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly requestId: string;
  readonly startedAtMs: number;
}

/** Who asks, and from where as far as that is known. */
interface Visitor {
  readonly caller: Caller;
  readonly address: Address | undefined;
}

/** As it is logged. */
function addressText({ address }: Visitor, { socket }: IncomingMessage): string {
  return address === undefined ? (socket.remoteAddress ?? "") : formatAddress(address);
}

function pathOf(url: string): string {
  const queryAt = url.indexOf("?");
  return queryAt < 0 ? url : url.slice(0, queryAt);
}

function originForm(target: string): string {
  if (target.startsWith("/")) return target;
  const path = target.replace(ABSOLUTE_FORM_START, "");
  return path === "" || path.startsWith("?") ? `/${path}` : path;
}

/** The path of a URL nobody knows: its query may hold anything. */
function pathToTell(url: string): string {
  return redactKeyShapes(url.split("?", 1)[0] ?? "");
}
