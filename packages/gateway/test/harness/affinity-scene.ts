/**
 * The primary's half of lending and affinity, with a real store, and worker threads with real desks in front of it. No
 * upstream and no client: a test says what is sought and what came of it.
 */
import type { HolderId, KeyId } from "@gemini-gateway/core/lease";
import type { Outcome } from "@gemini-gateway/core/outcome";
import { DEFAULT_SCHEDULER_OPTIONS } from "@gemini-gateway/core/scheduler/options";
import { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { pino } from "pino";
import type { ResourceEntry } from "../../src/affinity/messages.ts";
import { AffinityOffice } from "../../src/primary/affinity/affinity-office.ts";
import { KeyRing } from "../../src/primary/key-ring.ts";
import { LeaseOffice } from "../../src/primary/lease-office.ts";
import { Siblings } from "../../src/primary/siblings.ts";
import { DurableStore } from "../../src/primary/store/durable-store.ts";
import type { KeyRow } from "../../src/primary/store/rows.ts";
import type { ToPrimary } from "../../src/protocol.ts";
import { allocateCounters } from "../../src/shared-counters.ts";
import { SteadyClock } from "../../src/steady-clock.ts";
import type { DeskAnswer, DeskOrder, DeskThreadStart } from "./desk-thread.ts";

export const SERVED: Outcome = { kind: "served" };

/** What is sought; `outcome` is what came of it when a key was lent. */
export type Sought = Partial<Omit<Extract<DeskOrder, { kind: "seek" }>, "kind" | "number">>;

/** A worker thread with a lease desk. */
export class DeskThread {
  readonly #thread: Worker;
  readonly #waiting = new Map<number, (answer: DeskAnswer) => void>();
  #number = 0;

  constructor(start: DeskThreadStart) {
    this.#thread = new Worker(new URL("./desk-thread.ts", import.meta.url), {
      workerData: start,
      transferList: [start.channel],
      execArgv: [],
    });
    this.#thread.on("message", (answer: DeskAnswer) => this.#waiting.get(answer.number)?.(answer));
  }

  seek(sought: Sought = {}): Promise<DeskAnswer> {
    return this.#order((number) => ({ kind: "seek", number, model: "m", outcome: SERVED, ...sought }));
  }

  /** Resolves when the primary has told that it knows. */
  learn(entries: readonly ResourceEntry[], forgotten: readonly string[] = []): Promise<DeskAnswer> {
    return this.#order((number) => ({ kind: "learn", number, entries, forgotten }));
  }

  async end(): Promise<void> {
    await this.#thread.terminate();
  }

  #order(orderOf: (number: number) => DeskOrder): Promise<DeskAnswer> {
    const { promise, resolve } = Promise.withResolvers<DeskAnswer>();
    this.#number += 1;
    const order = orderOf(this.#number);
    this.#waiting.set(order.number, resolve);
    this.#thread.postMessage(order);
    return promise.finally(() => this.#waiting.delete(order.number));
  }
}

export class AffinityScene implements AsyncDisposable {
  readonly store: DurableStore;
  readonly scheduler: Scheduler;
  readonly affinity: AffinityOffice;
  readonly siblings: Siblings;
  readonly logged: string[] = [];
  /** Messages of the workers with wishes in them. */
  wishMessages = 0;
  readonly #clock = new SteadyClock();
  readonly #ring = new KeyRing();
  readonly #office: LeaseOffice;
  readonly #counters = allocateCounters(1);
  readonly #ports: MessagePort[] = [];
  readonly #threads: DeskThread[] = [];

  constructor(
    database: string,
    options: { readonly keyConcurrency?: number; readonly listProjects?: number } = {},
  ) {
    const { now } = this.#clock;
    const log = pino({ level: "trace" }, { write: (line: string) => void this.logged.push(line) });
    this.store = new DurableStore({ path: database, log, now });
    this.scheduler = new Scheduler(
      { ...DEFAULT_SCHEDULER_OPTIONS, projectConcurrencyMax: options.keyConcurrency ?? 0 },
      Math.random,
    );
    const { scheduler, store } = this;
    this.siblings = new Siblings({ scheduler, ring: this.#ring, store, log, now });
    this.affinity = new AffinityOffice({
      scheduler,
      siblings: this.siblings,
      store,
      ring: this.#ring,
      listProjects: () => options.listProjects ?? 64,
      conversations: 1_024,
      log,
      now,
    });
    store.onReplaced(() => this.affinity.forgetStored());
    this.#office = new LeaseOffice({
      scheduler,
      ring: this.#ring,
      siblings: this.siblings,
      affinity: this.affinity,
      post: (holder, message) => this.#ports[holder]?.postMessage(message),
      rows: () => {},
      heard: () => {},
      nextTestMs: () => undefined,
      clock: this.#clock,
      changed: () => {},
    });
    this.#use(this.store.keys.load().filter(({ retiredAtMs }) => retiredAtMs === null));
  }

  /** Adds keys, each under its label or without one; returns their ids. */
  addKeys(labels: Readonly<Record<string, string | null>>): KeyId[] {
    const add = Object.entries(labels).map(([secret, label]) => ({ secret, label, sourceFile: "keys.txt" }));
    const change = { add, restore: [], relabel: [], retire: [] };
    const { added } = this.store.keys.change(change, this.#clock.now());
    this.#use(added);
    return added.map(({ id }) => id);
  }

  /** The key is gone from its file. */
  retire(id: KeyId): void {
    const change = { add: [], restore: [], relabel: [], retire: [id] };
    this.store.keys.change(change, this.#clock.now());
    this.scheduler.retireKeys([id], this.#clock.now());
    this.#ring.remove([id]);
    this.siblings.forget([id]);
  }

  /** The operator names another project for the key. */
  relabel(id: KeyId, label: string | null): void {
    const change = { add: [], restore: [], relabel: [{ id, label, sourceFile: "keys.txt" }], retire: [] };
    const { relabelled } = this.store.keys.change(change, this.#clock.now());
    for (const row of relabelled) this.scheduler.assignProject(row.id, row.project ?? undefined);
    this.siblings.know(relabelled);
  }

  /** An answer with the key has named its Google project. */
  nameProject(id: KeyId, consumer: string): void {
    const evidence = { httpStatus: 403, reason: "test", message: "", consumer };
    this.siblings.heard(id, { kind: "caller-fault", evidence });
    this.siblings.write();
  }

  /** Starts a worker thread. */
  thread(): DeskThread {
    const { port1, port2 } = new MessageChannel();
    const holder: HolderId = this.#ports.push(port1) - 1;
    port1.on("message", (message: ToPrimary) => this.#hear(holder, message));
    const start = { channel: port2, counters: this.#counters, clock: this.#clock.anchor };
    const thread = new DeskThread(start);
    this.#threads.push(thread);
    return thread;
  }

  /** Ends everything as an orderly stop does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
    for (const port of this.#ports) port.close();
    this.scheduler.checkInvariants();
    this.affinity[Symbol.dispose]();
    this.siblings[Symbol.dispose]();
    this.store[Symbol.dispose]();
  }

  #use(rows: readonly KeyRow[]): void {
    this.#ring.add(rows);
    this.scheduler.addKeys(rows.map(({ id, project }) => ({ id, project: project ?? undefined })));
    this.siblings.know(rows);
  }

  #hear(holder: HolderId, message: ToPrimary): void {
    if (message.type === "report.send") {
      if (message.wishes.length > 0) this.wishMessages += 1;
      this.#office.receive(holder, message);
    } else if (message.type === "resource.learnt") {
      this.#ports[holder]?.postMessage(this.affinity.hear(message));
    }
  }
}
