/** One worker's graph of objects and its life: listen, hear the primary, drain. Worker threads. */
import { LeasePocket } from "@gemini-gateway/core/lease-pocket";
import { DEFAULT_POCKET_OPTIONS } from "@gemini-gateway/core/model-demand";
import { TokenGauge } from "@gemini-gateway/core/quota/token-gauge";
import { ClientHeaders } from "@gemini-gateway/gemini/headers";
import { RetryBudget } from "@gemini-gateway/core/retry-budget";
import type { Server } from "node:http";
import type { GatewayConfig } from "../config.ts";
import { aliasesOf } from "../config/model-aliases.ts";
import type { ToPrimary, ToWorker, WorkerStart } from "../protocol.ts";
import type { RequestRow } from "../request-row.ts";
import { SharedCounters } from "../shared-counters.ts";
import { steadyNow, type Now } from "../steady-clock.ts";
import { Affinity } from "./affinity/affinity.ts";
import type { ClientCall } from "./client/client-call.ts";
import { FrontDoor } from "./front-door.ts";
import { Guard } from "./guard/guard.ts";
import { createHttpServer } from "./http-server.ts";
import { LeaseDesk } from "./lease-desk.ts";
import { ModelCatalogue } from "./lists/model-catalogue.ts";
import { ProjectDesk } from "./lists/project-desk.ts";
import { LiveAffinity } from "./live/live-affinity.ts";
import { LiveDoor } from "./live/live-door.ts";
import { LiveUpstream } from "./live/live-upstream.ts";
import { Outbox } from "./outbox.ts";
import { PageDesk } from "./page-desk.ts";
import { RequestIds } from "./request-ids.ts";
import type { Service } from "./service.ts";
import { Upstream, type UpstreamOptions } from "./upstream.ts";

/** How often expired leases are given back and the primary hears that the thread is alive, milliseconds. */
const PULSE_MS = 1000;
/** While draining, how often connections without a request are closed, milliseconds. */
const IDLE_CHECK_MS = 25;
/**
 * Connections the kernel holds until they are accepted. With fewer, a burst of new clients overflows the queue, and those
 * left out try again only after a second; the kernel may cap it (`net.core.somaxconn`).
 */
const BACKLOG = 4096;
/** In the log, of a request that the end of the grace cut off. */
const CUT_OFF_REASON = "shutdown";

export class HttpWorker {
  readonly #start: WorkerStart;
  readonly #counters: SharedCounters;
  readonly #guard: Guard;
  readonly #outbox: Outbox;
  readonly #desk: LeaseDesk;
  readonly #affinity: Affinity;
  readonly #projects: ProjectDesk;
  readonly #models: ModelCatalogue;
  readonly #pages: PageDesk;
  readonly #door: FrontDoor;
  readonly #liveDoor: LiveDoor;
  readonly #gauge = new TokenGauge();
  readonly #now: Now;
  readonly #server: Server;
  #service: Service;
  #activeRequests = 0;
  #isDraining = false;
  #isCutOff = false;
  #hasServerClosed = false;

  constructor(start: WorkerStart) {
    const { config, channel } = start;
    const service = (): Service => this.#service;
    const pocket = new LeasePocket({
      ...DEFAULT_POCKET_OPTIONS,
      get batchMax() {
        return service().config.lease.batch;
      },
    });
    this.#start = start;
    this.#now = steadyNow(start.clock);
    this.#counters = new SharedCounters(start.counters, start.part);
    this.#guard = new Guard({
      config,
      start: start.guard,
      part: start.part,
      post: (message) => this.#send(message),
      random: Math.random,
    });
    this.#outbox = new Outbox(channel, pocket);
    this.#desk = new LeaseDesk(pocket, this.#outbox, this.#counters, this.#now);
    this.#affinity = new Affinity({
      start: start.affinity,
      settings: () => service().config.affinity,
      post: (message) => this.#send(message),
      count: (tally) => this.#counters.count(tally),
    });
    this.#projects = new ProjectDesk((message) => this.#send(message));
    this.#models = new ModelCatalogue(this.#now);
    this.#pages = new PageDesk({ post: (message) => this.#send(message), now: this.#now });
    const requestIds = new RequestIds();
    this.#service = this.#newService(config);
    this.#door = new FrontDoor(this.#service, requestIds);
    this.#liveDoor = new LiveDoor(this.#service, requestIds);
    this.#server = createHttpServer(config, requestIds, {
      receive: (call) => this.#receive(call),
      live: this.#liveDoor,
    });
  }

  start(): void {
    const { channel, config, port, reusePort } = this.#start;
    channel.on("message", (message: ToWorker) => this.#hear(message));
    setInterval(() => this.#pulse(), PULSE_MS).unref();
    this.#server.listen({ port, host: config.host, reusePort, backlog: BACKLOG }, () =>
      this.#send({ type: "worker.listening" }),
    );
  }

  #newService(config: GatewayConfig): Service {
    const { ratio, burst } = config.retry;
    return {
      config,
      aliases: aliasesOf(config.modelAlias),
      counters: this.#counters,
      guard: this.#guard,
      desk: this.#desk,
      affinity: this.#affinity,
      projects: this.#projects,
      models: this.#models,
      gauge: this.#gauge,
      upstream: new Upstream(upstreamOptions(config)),
      liveUpstream: new LiveUpstream(upstreamOptions(config)),
      liveAffinity: new LiveAffinity(this.#affinity, this.#now),
      pages: this.#pages,
      clientHeaders: new ClientHeaders(),
      retryBudget: new RetryBudget({ ratio, burst }),
      now: this.#now,
      begun: () => {
        this.#activeRequests += 1;
      },
      ended: (row) => this.#ended(row),
      sessionEnded: (row) => this.#sessionEnded(row),
      turnedAway: (row) => this.#outbox.log(row),
    };
  }

  #receive(call: ClientCall): void {
    // While draining, nothing is kept alive: the client's next request goes to whoever takes over.
    if (this.#isDraining) call.closeAfterwards();
    this.#door.receive(call);
  }

  #ended(row: RequestRow): void {
    this.#activeRequests -= 1;
    this.#counters.subtract("requests", 1);
    this.#outbox.log(this.#isCutOff ? { ...row, reason: CUT_OFF_REASON } : row);
    this.#leaveWhenDone();
  }

  #sessionEnded(row: RequestRow): void {
    this.#activeRequests -= 1;
    this.#counters.subtract("sessions", 1);
    this.#outbox.log(row);
    this.#leaveWhenDone();
  }

  #hear(message: ToWorker): void {
    switch (message.type) {
      case "lease.answer":
        this.#desk.receive(message.answers);
        return;
      case "lease.revoke":
        this.#desk.revoke(message.leaseIds);
        return;
      case "pool.grew":
        this.#desk.poolGrew();
        this.#models.forget();
        return;
      case "config.change":
        this.#reconfigure(message.config);
        return;
      case "bans.changed":
      case "clients.changed":
      case "breaker.changed":
        this.#guard.hear(message);
        return;
      case "resource.kept":
        this.#affinity.resources.hear(message);
        return;
      case "projects.told":
        this.#projects.hear(message);
        return;
      case "page.answer":
        this.#pages.receive(message.page, message.content);
        return;
      case "worker.drain":
        this.#drain();
        return;
      case "worker.cut":
        this.#cutOff();
    }
  }

  /** Requests under way keep the service they began with. */
  #reconfigure(config: GatewayConfig): void {
    const before = this.#service;
    const { ratio, burst } = config.retry;
    const hasSameBudget = ratio === before.config.retry.ratio && burst === before.config.retry.burst;
    const retryBudget = hasSameBudget ? before.retryBudget : new RetryBudget({ ratio, burst });
    this.#service = { ...before, config, aliases: aliasesOf(config.modelAlias), retryBudget };
    this.#guard.configure(config);
    this.#models.forget();
    this.#door.serve(this.#service);
    this.#liveDoor.serve(this.#service);
  }

  #pulse(): void {
    this.#desk.tick();
    this.#send({ type: "worker.pulse" });
  }

  /** Accepts no new connection, closes the others as their last answer has left, and then reports for the last time. */
  #drain(): void {
    this.#isDraining = true;
    this.#liveDoor.shut(this.#service.config.shutdownGraceMs);
    const timer = setInterval(() => this.#server.closeIdleConnections(), IDLE_CHECK_MS);
    this.#server.close(() => {
      clearInterval(timer);
      this.#hasServerClosed = true;
      this.#leaveWhenDone();
    });
  }

  /** The grace is over. Each request ends as if its client had left: its key is not blamed, what it cost is told. */
  #cutOff(): void {
    this.#isCutOff = true;
    this.#liveDoor.endAll();
    this.#server.closeAllConnections();
  }

  /** The server may have closed before its last request hears that the client has left. */
  #leaveWhenDone(): void {
    if (!this.#hasServerClosed || this.#activeRequests > 0) return;
    this.#desk.close(() => {
      this.#outbox.flush();
      this.#send({ type: "worker.drained" });
    });
  }

  #send(message: ToPrimary): void {
    this.#start.channel.postMessage(message);
  }
}

function upstreamOptions(config: GatewayConfig): UpstreamOptions {
  return {
    upstream: new URL(config.upstream),
    proxy: config.proxy === "" ? undefined : new URL(config.proxy),
    connectMs: config.timeouts.connectMs,
    http2: config.upstreamHttp2,
  };
}
