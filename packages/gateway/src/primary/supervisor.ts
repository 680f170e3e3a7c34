/**
 * Keeps the HTTP worker threads alive: starts them, replaces those that die or stall, tells them to drain.
 * Primary thread. Knows nothing of keys: whoever owns the leases hears `lost`.
 */
import type { HolderId, LeaseId } from "@gemini-gateway/core/lease";
import { MessageChannel, Worker, type MessagePort } from "node:worker_threads";
import type { Logger } from "pino";
import type { GatewayConfig } from "../config.ts";
import type { AffinityStart, AffinityToPrimary } from "../affinity/messages.ts";
import type { ProjectsAsk } from "../affinity/project-messages.ts";
import type { GuardStart, GuardToPrimary } from "../limits/messages.ts";
import type { PageName, ToPrimary, ToWorker, WorkerStart } from "../protocol.ts";
import { SharedCounters } from "../shared-counters.ts";
import type { ClockAnchor } from "../steady-clock.ts";

export interface SupervisorOptions {
  readonly config: GatewayConfig;
  readonly port: number;
  readonly reusePort: boolean;
  readonly workers: number;
  readonly entry: URL;
  readonly counters: SharedArrayBuffer;
  /** What a worker that starts must know of who may come in, as it stands at that moment. */
  readonly guard: () => GuardStart;
  readonly affinity: () => AffinityStart;
  /** The clock that every worker reads. */
  readonly clock: ClockAnchor;
  readonly log: Logger;
}

/** Who hears what the workers say about requests and leases. */
export interface WorkerListener {
  /** A worker reports on its requests. */
  receive(holder: HolderId, message: Extract<ToPrimary, { type: "report.send" }>): void;
  /** A use that goes on for long has shown that its key works. */
  proved(leaseId: LeaseId): void;
  /** A worker reports an address. */
  guard(message: GuardToPrimary): void;
  /** A worker learnt who owns what. */
  learnt(holder: HolderId, message: AffinityToPrimary): void;
  /** A worker wants to know where to ask for a list. */
  projectsAsked(holder: HolderId, question: ProjectsAsk): void;
  /** The thread with this part of the shared memory died. */
  died(part: number): void;
  /** A worker wants a page about the gateway. */
  pageAsked(holder: HolderId, page: PageName): void;
  /** A worker is gone: everything lent to it comes back. */
  lost(holder: HolderId): void;
}

/** How often workers are checked for signs of life, milliseconds; they give one every second. */
const STALL_CHECK_MS = 5_000;
/** Checks without one after which a worker is taken for stuck. Counted, because a clock may jump and we may be late. */
const SILENT_CHECKS_MAX = 6;
/**
 * V8's memory for new objects in a worker, megabytes. What relaying leaves behind dies at once: with V8's own limit a
 * worker that holds streams grows by tens of megabytes between collections. With less than this, requests of some hundred
 * connections outlive two collections, and are copied twice and marked before they go (docs/decisions/0086).
 */
const YOUNG_GENERATION_MB = 16;
/** A worker that dies younger than this counts as failing to start, milliseconds. */
const YOUNG_MS = 5_000;
/** Wait before a replacement: none at first, then growing while replacements die young, milliseconds. */
const RESTART_STEP_MS = 100;
const RESTART_MAX_MS = 5_000;

/** How long workers may take to tell of the requests that the end of the grace cut off, milliseconds. */
const CUT_MS = 1_000;

interface Member {
  readonly part: number;
  readonly holder: HolderId;
  readonly thread: Worker;
  readonly channel: MessagePort;
  readonly startedAtMs: number;
  silentChecks: number;
  listening: boolean;
}

export interface WorkerView {
  readonly holder: HolderId;
  readonly threadId: number;
  readonly listening: boolean;
  readonly activeRequests: number;
  /** Of these, those that wait for a key. */
  readonly waiting: number;
  readonly upMs: number;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #members = new Map<HolderId, Member>();
  readonly #stallCheck: NodeJS.Timeout;
  readonly #waiting = new Set<NodeJS.Timeout>();
  #lastHolder = 0;
  #youngDeaths = 0;
  #replaced = 0;
  #messages = 0;
  #stopping = false;
  #listener: WorkerListener | undefined;
  #allListening: (() => void) | undefined;
  #allDrained: (() => void) | undefined;
  #failedToStart: ((error: Error) => void) | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#stallCheck = setInterval(() => this.#replaceStalled(), STALL_CHECK_MS);
    this.#stallCheck.unref();
  }

  /** Names who hears the workers; before {@link start}. */
  on(listener: WorkerListener): void {
    this.#listener = listener;
  }

  /** Starts every worker; resolves when all of them listen, rejects when one dies before that. */
  async start(): Promise<void> {
    const listening = new Promise<void>((resolve, reject) => {
      this.#allListening = resolve;
      this.#failedToStart = reject;
    });
    for (let part = 0; part < this.#options.workers; part += 1) this.#spawn(part);
    await listening;
    this.#failedToStart = undefined;
  }

  /** Messages to and from workers so far. */
  get messages(): number {
    return this.#messages;
  }

  post(holder: HolderId, message: ToWorker): void {
    this.#messages += 1;
    this.#members.get(holder)?.channel.postMessage(message);
  }

  broadcast(message: ToWorker): void {
    for (const holder of this.#members.keys()) this.post(holder, message);
  }

  /** Asks every worker to finish what it serves; resolves when all have, or when what `graceMs` left is cut off. */
  async drain(graceMs: number): Promise<"drained" | "cut-off"> {
    this.#stopping = true;
    for (const timer of this.#waiting) clearTimeout(timer);
    if (this.#members.size === 0) return "drained";
    if (await this.#allLeave("worker.drain", graceMs)) return "drained";
    await this.#allLeave("worker.cut", CUT_MS);
    return "cut-off";
  }

  /** Whether every worker has reported for the last time, at most `waitMs` after it was told to. */
  async #allLeave(order: "worker.drain" | "worker.cut", waitMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#allDrained = () => resolve(true);
    const timer = setTimeout(() => resolve(false), waitMs);
    this.broadcast({ type: order });
    return promise.finally(() => clearTimeout(timer));
  }

  /** Ends every thread at once. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#stallCheck);
    await Promise.all(Array.from(this.#members.values(), ({ thread }) => thread.terminate()));
  }

  /** Kills one worker as a crash would; for tests and operators of last resort. */
  async kill(holder: HolderId): Promise<void> {
    await this.#members.get(holder)?.thread.terminate();
  }

  get replaced(): number {
    return this.#replaced;
  }

  views(nowMs: number): readonly WorkerView[] {
    return Array.from(this.#members.values(), (member) => {
      const counters = new SharedCounters(this.#options.counters, member.part);
      return {
        holder: member.holder,
        threadId: member.thread.threadId,
        listening: member.listening,
        activeRequests: counters.own("requests"),
        waiting: counters.own("waiting"),
        upMs: nowMs - member.startedAtMs,
      };
    });
  }

  #spawn(part: number): void {
    const { config, port, reusePort, counters, guard, affinity, clock, entry } = this.#options;
    const { port1, port2 } = new MessageChannel();
    const shared = { counters, guard: guard(), affinity: affinity(), clock };
    const start: WorkerStart = { part, config, port, reusePort, ...shared, channel: port2 };
    const thread = new Worker(entry, {
      workerData: start,
      transferList: [port2],
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      name: `gateway-${part}`,
    });
    this.#lastHolder += 1;
    const nowMs = Date.now();
    const member: Member = {
      part,
      holder: this.#lastHolder,
      thread,
      channel: port1,
      startedAtMs: nowMs,
      silentChecks: 0,
      listening: false,
    };
    this.#members.set(member.holder, member);
    port1.on("message", (message: ToPrimary) => this.#hear(member, message));
    let failure: unknown;
    thread.on("error", (error) => {
      failure = error;
    });
    thread.on("exit", (code) => this.#bury(member, code, failure));
  }

  #hear(member: Member, message: ToPrimary): void {
    this.#messages += 1;
    member.silentChecks = 0;
    switch (message.type) {
      case "worker.listening":
        member.listening = true;
        if (Array.from(this.#members.values()).every(({ listening }) => listening)) this.#allListening?.();
        return;
      case "worker.pulse":
        return;
      case "page.ask":
        this.#listener?.pageAsked(member.holder, message.page);
        return;
      case "worker.drained":
        this.#listener?.lost(member.holder);
        this.#dismiss(member);
        void member.thread.terminate();
        return;
      case "ban.add":
        this.#listener?.guard(message);
        return;
      case "lease.proved":
        this.#listener?.proved(message.leaseId);
        return;
      case "projects.ask":
        this.#listener?.projectsAsked(member.holder, message);
        return;
      case "resource.learnt":
        this.#listener?.learnt(member.holder, message);
        return;
      case "report.send":
        this.#listener?.receive(member.holder, message);
    }
  }

  #bury(member: Member, code: number, failure: unknown): void {
    if (!this.#members.has(member.holder)) return;
    new SharedCounters(this.#options.counters, member.part).reclaimPart();
    this.#listener?.died(member.part);
    this.#listener?.lost(member.holder);
    const young = Date.now() - member.startedAtMs < YOUNG_MS;
    this.#dismiss(member);
    if (this.#stopping) return;
    const error = failure instanceof Error ? failure : undefined;
    if (this.#failedToStart !== undefined) {
      this.#failedToStart(error ?? new Error(`a worker thread ended with code ${code} before it listened`));
      return;
    }
    this.#options.log.error(
      { worker: member.holder, code, err: error },
      "a worker thread died; it is replaced",
    );
    this.#youngDeaths = young ? this.#youngDeaths + 1 : 0;
    this.#replaced += 1;
    const delayMs =
      this.#youngDeaths < 2 ? 0 : Math.min(RESTART_MAX_MS, RESTART_STEP_MS * 2 ** this.#youngDeaths);
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      this.#spawn(member.part);
    }, delayMs);
    this.#waiting.add(timer);
  }

  #dismiss(member: Member): void {
    member.channel.close();
    this.#members.delete(member.holder);
    if (this.#members.size === 0) this.#allDrained?.();
  }

  #replaceStalled(): void {
    for (const member of this.#members.values()) {
      member.silentChecks += 1;
      if (member.silentChecks <= SILENT_CHECKS_MAX) continue;
      this.#options.log.error({ worker: member.holder }, "a worker thread is stuck; it is ended");
      void member.thread.terminate();
    }
  }
}
