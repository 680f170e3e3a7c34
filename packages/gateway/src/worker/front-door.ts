/**
 * Lets a request in or turns it away: probes, preflights, unknown paths, callers without leave, too much at once.
 * Worker threads. Costs no key and reads no body.
 */
import { type Address, formatAddress } from "@gemini-gateway/core/network/address";
import { answerDialect } from "@gemini-gateway/gemini/error-answer";
import { quotaLane } from "@gemini-gateway/gemini/quota-lane";
import { redactKeyShapes } from "@gemini-gateway/gemini/redact";
import type { Route } from "@gemini-gateway/gemini/route";
import type { Caller } from "./auth.ts";
import type { PageName } from "../protocol.ts";
import type { ClientCall } from "./client/client-call.ts";
import { CrossOrigin } from "./cross-origin.ts";
import { Exchange } from "./exchange.ts";
import type { Refusal } from "./guard/refusal.ts";
import { beginList } from "./lists/begin-list.ts";
import { METHODS, ownAnswer, sendRefusal } from "./own-answer.ts";
import { PAGE_PATHS, pageRefusal } from "./page-desk.ts";
import type { RequestIds } from "./request-ids.ts";
import { rowOfTurnedAway } from "./request-record.ts";
import { RouteMemory } from "./route-memory.ts";
import type { Service } from "./service.ts";
import { Transfer } from "./transfers/transfer.ts";
import { pathOfRoute } from "./transfers/told-path.ts";

/** What a client turned away for want of room is told, milliseconds. */
const BUSY_RETRY_MS = 1000;

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);

const PROBES = ["/healthz", "/readyz"] as const;
type Probe = (typeof PROBES)[number];

/** What the gateway answers by itself at a path. */
type OwnPlace =
  | { readonly kind: "probe"; readonly probe: Probe }
  | { readonly kind: "page"; readonly page: PageName };

export class FrontDoor {
  #service: Service;
  #crossOrigin: CrossOrigin;
  #places: ReadonlyMap<string, OwnPlace>;
  #routes: RouteMemory;
  readonly #requestIds: RequestIds;

  constructor(service: Service, requestIds: RequestIds) {
    this.#service = service;
    this.#crossOrigin = new CrossOrigin(service.config.cors);
    this.#places = ownPlaces(service.config.pathPrefix);
    this.#routes = new RouteMemory(service.config.pathPrefix, service.aliases);
    this.#requestIds = requestIds;
  }

  /** Another service from now on, under another configuration; requests under way keep theirs. */
  serve(service: Service): void {
    this.#service = service;
    this.#crossOrigin = new CrossOrigin(service.config.cors);
    this.#places = ownPlaces(service.config.pathPrefix);
    this.#routes = new RouteMemory(service.config.pathPrefix, service.aliases);
  }

  /** Handles one request from its head on. Never throws. */
  receive(call: ClientCall): void {
    const arrival: Arrival = {
      call,
      requestId: this.#requestIds.next(),
      startedAtMs: this.#service.now(),
    };
    const place = this.#places.get(pathOf(call.target));
    if (call.method === "OPTIONS") {
      this.#crossOrigin.answerPreflight(call, ["x-request-id", arrival.requestId]);
    } else if (place === undefined) {
      this.#admit(arrival);
    } else if (place.kind === "page") {
      this.#answerPage(place.page, arrival);
    } else {
      this.#answerProbe(place.probe, arrival);
    }
  }

  #admit(arrival: Arrival): void {
    const { call, requestId, startedAtMs } = arrival;
    const { method, target } = call;
    const { guard } = this.#service;
    const visitor = { caller: guard.identify(call.rawHeaders, target), address: guard.addressOf(call) };
    const route = this.#routes.routeOf(method, target);
    // Before anything else is looked at: an address that asks for nonsense is limited like any other.
    const early = isLeg(route)
      ? guard.refuseBanned(visitor.address, startedAtMs)
      : guard.refuseCaller(visitor.caller, visitor.address, startedAtMs);
    const refusal = early ?? this.#refusalFor(call, visitor.caller, route);
    if (refusal !== undefined || route === undefined) {
      this.#turnAway(arrival, visitor, refusal ?? { code: "not-found" }, route);
      return;
    }
    const extraHeaders = this.#extraHeaders(arrival);
    const { caller } = visitor;
    const address = addressText(visitor, call);
    const admission = { route, caller, address, requestId, startedAtMs, extraHeaders };
    const { transfer } = route;
    if (transfer !== undefined) {
      const countWrongId = (): Refusal | undefined =>
        guard.refuseCaller(caller, visitor.address, startedAtMs);
      new Transfer(this.#service, call, { ...admission, transfer, countWrongId }).begin();
    } else if (!beginList(this.#service, call, admission)) {
      new Exchange(this.#service, call, admission).begin();
    }
  }

  /** Headers every answer carries; a flat list. */
  #extraHeaders({ call, requestId }: Arrival): readonly string[] {
    return ["x-request-id", requestId, ...this.#crossOrigin.headersFor(call)];
  }

  /** Why this caller may not come in; on undefined it has its place among the requests in progress. */
  #refusalFor(call: ClientCall, caller: Caller, route: Route | undefined): Refusal | undefined {
    if (!KNOWN_METHODS.has(call.method)) return { code: "method-not-allowed" };
    if (route === undefined) return { code: "not-found" };
    if (call.lacksHost) return { code: "malformed-request" };
    const { config, counters, guard } = this.#service;
    // Clients go on with an upload by its address alone.
    if (!caller.authenticated && !isLeg(route)) {
      if (config.anonymous === "denied") return { code: "unauthenticated" };
      if (this.#crossOrigin.isForeign(call)) return { code: "foreign-page" };
    }
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
    this.#service.turnedAway(
      rowOfTurnedAway({
        atMs: this.#service.now(),
        startedAtMs: arrival.startedAtMs,
        requestId: arrival.requestId,
        method: arrival.call.method,
        path: route === undefined ? pathToTell(arrival.call.target) : pathOfRoute(route),
        model: route?.model ?? "",
        client: visitor.caller.name,
        address: addressText(visitor, arrival.call),
        answer,
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
export interface Visitor {
  readonly caller: Caller;
  readonly address: Address | undefined;
}

/** As it is logged. */
export function addressText({ address }: Visitor, { peer }: Pick<ClientCall, "peer">): string {
  return address === undefined || address === peer.address ? peer.text : formatAddress(address);
}

/** Each place, below the path prefix and without it: a reverse proxy in front may take it off. */
function ownPlaces(pathPrefix: string): ReadonlyMap<string, OwnPlace> {
  const places = new Map<string, OwnPlace>();
  for (const prefix of ["", pathPrefix]) {
    for (const probe of PROBES) places.set(prefix + probe, { kind: "probe", probe });
    for (const [path, page] of PAGE_PATHS) places.set(prefix + path, { kind: "page", page });
  }
  return places;
}

/** Whether the request is authorised by the upload's id in it. */
function isLeg(route: Route | undefined): boolean {
  return route?.transfer?.kind === "upload-leg";
}

function pathOf(url: string): string {
  const queryAt = url.indexOf("?");
  return queryAt < 0 ? url : url.slice(0, queryAt);
}

/** The path of a URL nobody knows: its query may hold anything. */
function pathToTell(url: string): string {
  return redactKeyShapes(url.split("?", 1)[0] ?? "");
}
