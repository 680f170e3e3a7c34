/**
 * Lets a Live session in or turns it away, by the rules of the front door: unknown paths, callers without leave, too
 * many at once. Worker threads. A refusal is an HTTP answer in the handshake's place; it costs no key.
 */
import { type LiveRoute, liveRouteOf, type LiveToken, liveTokenOf } from "@gemini-gateway/gemini/live-route";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { WebSocketServer } from "ws";
import { originForm, peerOf } from "../client/node-call.ts";
import { CrossOrigin } from "../cross-origin.ts";
import { addressText, type Visitor } from "../front-door.ts";
import type { Refusal } from "../guard/refusal.ts";
import type { UpgradeTaker } from "../http-server.ts";
import { ownAnswer } from "../own-answer.ts";
import type { RequestIds } from "../request-ids.ts";
import { rowOfTurnedAway } from "../request-record.ts";
import type { Service } from "../service.ts";
import { fileBasesOf } from "../transfers/file-uris.ts";
import type { LiveAdmission } from "./live-admission.ts";
import { LiveSession } from "./live-session.ts";
import { LiveSessions } from "./live-sessions.ts";
import { socketOptions } from "./live-socket.ts";
import { refuseUpgrade } from "./refuse-upgrade.ts";
import { TokenInquiry } from "./token-inquiry.ts";

/** What a client turned away for want of room is told, milliseconds. */
const BUSY_RETRY_MS = 1000;
/** What the handshake's key looks like: 16 bytes in base64 (RFC 6455, 4.1). */
const HANDSHAKE_KEY = /^[+/0-9A-Za-z]{22}==$/;

/** One handshake at the door. */
interface Arrival {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly target: string;
  readonly requestId: string;
  readonly startedAtMs: number;
  readonly visitor: Visitor;
}

export class LiveDoor implements UpgradeTaker {
  #service: Service;
  #crossOrigin: CrossOrigin;
  #handshakes: WebSocketServer;
  #isShut = false;
  readonly #requestIds: RequestIds;
  readonly #sessions: LiveSessions;

  constructor(service: Service, requestIds: RequestIds) {
    this.#service = service;
    this.#crossOrigin = new CrossOrigin(service.config.cors);
    this.#handshakes = handshakesFor(service);
    this.#requestIds = requestIds;
    this.#sessions = new LiveSessions(service.now);
  }

  /** Another service from now on, under another configuration; sessions keep theirs. */
  serve(service: Service): void {
    this.#service = service;
    this.#crossOrigin = new CrossOrigin(service.config.cors);
    this.#handshakes = handshakesFor(service);
  }

  /** Lets nobody in any more, and tells those inside how long they have. */
  shut(graceMs: number): void {
    this.#isShut = true;
    this.#sessions.announceEnd(graceMs);
  }

  /** The grace is over. */
  endAll(): void {
    this.#sessions.endAll();
  }

  /** Other wishes to upgrade (HTTP/2 among them) may be passed over, and are. */
  wants(request: IncomingMessage): boolean {
    return request.headers.upgrade?.toLowerCase() === "websocket" && this.#routeOf(request) !== undefined;
  }

  take(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Until the handshake is over, nobody else listens.
    socket.on("error", ignore);
    const { guard, now } = this.#service;
    const target = originForm(request.url ?? "/");
    const { rawHeaders } = request;
    const peer = peerOf(request);
    const visitor = {
      caller: guard.identify(rawHeaders, target),
      address: guard.addressOf({ peer, rawHeaders }),
    };
    const requestId = this.#requestIds.next();
    const arrival = { request, socket, target, requestId, startedAtMs: now(), visitor };
    const route = this.#routeOf(request);
    const refusal = this.#misfit(arrival, route);
    if (refusal !== undefined || route === undefined) {
      this.#turnAway(arrival, refusal ?? { code: "not-found" }, route);
      return;
    }
    this.#ask(arrival, route, head);
  }

  /** A stranger needs a token that was made here; everybody else has what it takes. */
  #ask(arrival: Arrival, route: LiveRoute, head: Buffer): void {
    const { request, target } = arrival;
    const token = liveTokenOf(route, request.rawHeaders, target);
    const strange = this.#strangeness(arrival);
    if (strange === undefined) {
      this.#seat(arrival, route, token, head);
    } else if (token === undefined) {
      this.#turnAway(arrival, strange, route);
    } else {
      TokenInquiry.ask(this.#service.desk, token, (isKnown) => {
        // While the gateway stops nobody can tell, and there is no place anyway.
        if (isKnown || this.#isShut) this.#seat(arrival, route, token, head);
        else this.#turnAway(arrival, { code: "unauthenticated" }, route);
      });
    }
  }

  #routeOf({ url = "/" }: IncomingMessage): LiveRoute | undefined {
    return liveRouteOf(originForm(url), this.#service.config.pathPrefix);
  }

  /** Why nobody may come in like this, whoever it is. */
  #misfit({ request, visitor, startedAtMs }: Arrival, route: LiveRoute | undefined): Refusal | undefined {
    const early = this.#service.guard.refuseCaller(visitor.caller, visitor.address, startedAtMs);
    if (early !== undefined) return early;
    if (route === undefined) return { code: "not-found" };
    if (!isHandshake(request)) return { code: "malformed-handshake" };
    return this.#crossOrigin.isShutOut(request) ? { code: "foreign-page" } : undefined;
  }

  /** Why a caller without an auth key may not come in; undefined for who may. */
  #strangeness({ request, visitor }: Arrival): Refusal | undefined {
    if (visitor.caller.authenticated) return undefined;
    if (this.#service.config.anonymous === "denied") return { code: "unauthenticated" };
    return this.#crossOrigin.isForeign(request) ? { code: "foreign-page" } : undefined;
  }

  #seat(arrival: Arrival, route: LiveRoute, token: LiveToken | undefined, head: Buffer): void {
    const full = this.#placeFor(arrival);
    if (full === undefined) this.#letIn(arrival, route, token, head);
    else this.#turnAway(arrival, full, route);
  }

  /** Why there is no place; on undefined it has one among the sessions. */
  #placeFor({ visitor }: Arrival): Refusal | undefined {
    const { config, counters, guard } = this.#service;
    if (this.#isShut) return { code: "shutting-down", retryAfterMs: BUSY_RETRY_MS };
    if (!counters.tryAdd("sessions", 1, config.live.sessions)) {
      return { code: "too-many-sessions", retryAfterMs: BUSY_RETRY_MS };
    }
    const full = guard.enter(visitor.caller);
    if (full !== undefined) counters.subtract("sessions", 1);
    return full;
  }

  #letIn(arrival: Arrival, route: LiveRoute, token: LiveToken | undefined, head: Buffer): void {
    const { request, socket, requestId, startedAtMs, visitor } = arrival;
    const { rawHeaders, url: target = "/" } = request;
    const peer = peerOf(request);
    const admission: LiveAdmission = {
      route,
      token,
      rawHeaders,
      fileBases: fileBasesOf(this.#service, { target, rawHeaders, peer }),
      caller: visitor.caller,
      address: addressText(visitor, { peer }),
      requestId,
      startedAtMs,
    };
    const service = this.#service;
    let isOpen = false;
    this.#handshakes.handleUpgrade(request, socket, head, (client) => {
      isOpen = true;
      socket.off("error", ignore);
      service.begun();
      this.#sessions.add(
        new LiveSession(service, admission, client, (session) => this.#sessions.remove(session)),
      );
    });
    if (isOpen) return;
    // It was refused by its form after all, or the client has left: the place is free again.
    service.counters.subtract("sessions", 1);
    service.guard.leave(visitor.caller, 0);
  }

  #turnAway(arrival: Arrival, refusal: Refusal, route: LiveRoute | undefined): void {
    const { request, socket, requestId, startedAtMs, visitor } = arrival;
    const answer = ownAnswer(refusal.code, "native", refusal.retryAfterMs);
    refuseUpgrade(socket, answer, ["x-request-id", requestId, ...this.#crossOrigin.headersFor(request)]);
    this.#service.turnedAway(
      rowOfTurnedAway({
        atMs: this.#service.now(),
        startedAtMs,
        requestId,
        method: "GET",
        path: route?.upstreamPath ?? "",
        model: "",
        client: visitor.caller.name,
        address: addressText(visitor, { peer: peerOf(request) }),
        answer,
      }),
    );
  }
}

function handshakesFor({ config }: Service): WebSocketServer {
  return new WebSocketServer({
    ...socketOptions(config.live.messageBytes),
    noServer: true,
    clientTracking: false,
  });
}

function isHandshake({ method, headers }: IncomingMessage): boolean {
  const key = headers["sec-websocket-key"] ?? "";
  return method === "GET" && headers["sec-websocket-version"] === "13" && HANDSHAKE_KEY.test(key);
}

function ignore(): void {}
