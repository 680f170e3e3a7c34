/**
 * Lets a request in or turns it away: probes, preflights, unknown paths, callers without leave, too much at once.
 * Worker threads. Costs no key and reads no body.
 */
import { type Address, formatAddress } from "@gemini-gateway/core/network/address";
import { answerDialect } from "@gemini-gateway/gemini/error-answer";
import { quotaLane } from "@gemini-gateway/gemini/quota-lane";
import { redactKeyShapes } from "@gemini-gateway/gemini/redact";
import { routeRequest, type Route } from "@gemini-gateway/gemini/route";
import type { Caller } from "./auth.ts";
import type { PageName } from "../protocol.ts";
import type { ClientCall } from "./client/client-call.ts";
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
  receive(call: ClientCall): void {
    const arrival: Arrival = {
      call,
      requestId: this.#requestIds.next(),
      startedAtMs: this.#service.now(),
    };
    const probe = this.#probeOf(call.target);
    const page = pageAt(pathOf(call.target), this.#service.config.pathPrefix);
    if (call.method === "OPTIONS") {
      this.#crossOrigin.answerPreflight(call, ["x-request-id", arrival.requestId]);
    } else if (page !== undefined) {
      this.#answerPage(page, arrival);
    } else if (probe === undefined) {
      this.#admit(arrival);
    } else {
      this.#answerProbe(probe, arrival);
    }
  }

  #admit(arrival: Arrival): void {
    const { call, requestId, startedAtMs } = arrival;
    const { method, target } = call;
    const { guard } = this.#service;
    const visitor = { caller: guard.identify(call.rawHeaders, target), address: guard.addressOf(call) };
    // Before anything else is looked at: an address that asks for nonsense is limited like any other.
    const early = guard.refuseCaller(visitor.caller, visitor.address, startedAtMs);
    const route = this.#routeOf(method, target);
    const refusal = early ?? this.#refusalFor(call, visitor.caller, route);
    if (refusal !== undefined || route === undefined) {
      this.#turnAway(arrival, visitor, refusal ?? { code: "not-found" }, route);
      return;
    }
    const extraHeaders = this.#extraHeaders(arrival);
    const { caller } = visitor;
    const address = addressText(visitor, call);
    const admission = { route, caller, address, requestId, startedAtMs, extraHeaders };
    new Exchange(this.#service, call, admission).begin();
  }

  /** Headers every answer carries; a flat list. */
  #extraHeaders({ call, requestId }: Arrival): readonly string[] {
    return ["x-request-id", requestId, ...this.#crossOrigin.headersFor(call)];
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
  #refusalFor(call: ClientCall, caller: Caller, route: Route | undefined): Refusal | undefined {
    if (!KNOWN_METHODS.has(call.method)) return { code: "method-not-allowed" };
    if (route === undefined) return { code: "not-found" };
    if (call.lacksHost) return { code: "malformed-request" };
    const { config, counters, guard } = this.#service;
    if (!caller.authenticated && config.anonymous === "denied") return { code: "unauthenticated" };
    if (!caller.authenticated && this.#crossOrigin.isForeign(call)) return { code: "foreign-page" };
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
    arrival.call.send(good ? 200 : 503, [...headers, ...this.#extraHeaders(arrival)], body);
  }

  /** `/status` and `/metrics`, for those who may read them. */
  #answerPage(page: PageName, arrival: Arrival): void {
    const { call, startedAtMs } = arrival;
    const { guard, pages, config } = this.#service;
    const visitor = { caller: guard.identify(call.rawHeaders, call.target), address: guard.addressOf(call) };
    const code = pageRefusal(page, call.method, visitor.caller, config.metricsAccess);
    if (code === undefined) {
      pages.serve(page, { call, extraHeaders: this.#extraHeaders(arrival) });
      return;
    }
    // Whoever guesses at auth keys here is limited like any other.
    const early = guard.refuseCaller(visitor.caller, visitor.address, startedAtMs);
    this.#turnAway(arrival, visitor, early ?? { code }, undefined);
  }

  #turnAway(arrival: Arrival, visitor: Visitor, refusal: Refusal, route: Route | undefined): void {
    const dialect = route === undefined ? "native" : answerDialect(route);
    const answer = ownAnswer(refusal.code, dialect, refusal.retryAfterMs);
    sendRefusal(arrival.call, answer, this.#extraHeaders(arrival));
    const atMs = this.#service.now();
    this.#service.turnedAway(
      rowOf({
        atMs,
        startedAtMs: arrival.startedAtMs,
        firstByteAtMs: atMs,
        requestId: arrival.requestId,
        method: arrival.call.method,
        path: route?.upstreamPath ?? pathToTell(arrival.call.target),
        model: route?.model ?? "",
        status: answer.status,
        outcome: "refused",
        reason: refusal.code,
        notes: [],
        bytesIn: 0,
        bytesOut: answer.body.length,
        usage: undefined,
        client: visitor.caller.name,
        address: addressText(visitor, arrival.call),
      }),
    );
  }
}

/** One request at the door. */
interface Arrival {
  readonly call: ClientCall;
  readonly requestId: string;
  readonly startedAtMs: number;
}

/** Who asks, and from where as far as that is known. */
interface Visitor {
  readonly caller: Caller;
  readonly address: Address | undefined;
}

/** As it is logged. */
function addressText({ address }: Visitor, { peer }: ClientCall): string {
  return address === undefined || address === peer.address ? peer.text : formatAddress(address);
}

function pathOf(url: string): string {
  const queryAt = url.indexOf("?");
  return queryAt < 0 ? url : url.slice(0, queryAt);
}

/** The path of a URL nobody knows: its query may hold anything. */
function pathToTell(url: string): string {
  return redactKeyShapes(url.split("?", 1)[0] ?? "");
}
