/**
 * Everything the primary knows of who may come in: the bans, the named clients, the breaker, and the shared tables in
 * which the workers count. Primary thread. It hears the workers and tells them; each request is decided in its worker.
 */
import { type BreakerThresholds, parseThreshold } from "@gemini-gateway/core/limits/breaker";
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import { randomInt } from "node:crypto";
import type { Logger } from "pino";
import type { GatewayConfig } from "../../config.ts";
import { AddressTable, allocateAddressTable, isCountedWithin } from "../../limits/address-table.ts";
import { allocateClientTable, ClientTable } from "../../limits/client-table.ts";
import type { GuardStart, GuardToPrimary, GuardToWorker } from "../../limits/messages.ts";
import { PRIMARY_HOLDER } from "../../limits/shared-locks.ts";
import { monotonicNowMs } from "../../limits/monotonic-clock.ts";
import type { Store } from "../store/store.ts";
import { BanBook } from "./ban-book.ts";
import { BreakerWatch } from "./breaker-watch.ts";
import { ClientBook } from "./client-book.ts";

export interface GuardOfficeOptions {
  /** As it is in effect at the moment. */
  readonly config: () => GatewayConfig;
  readonly store: Store;
  readonly scheduler: Scheduler;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Tells every worker. */
  readonly publish: (message: GuardToWorker) => void;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What is recalled lies at least so long ago, that no limit of a minute sees the use of an hour, milliseconds. */
const RECALLED_BEFORE_MS = 2 * 60_000;
/** The seed of the table's hash has 32 bits. */
const SEEDS = 2 ** 32;

export class GuardOffice implements Disposable {
  readonly bans: BanBook;
  readonly clients: ClientBook;
  readonly #breaker: BreakerWatch;
  readonly #addressMemory: SharedArrayBuffer;
  readonly #clientMemory = allocateClientTable();
  readonly #addressTable: AddressTable;
  readonly #clientTable: ClientTable;

  constructor(options: GuardOfficeOptions) {
    const { config, store, log, now, publish } = options;
    this.#addressMemory = allocateAddressTable(config().ip.addresses, randomInt(SEEDS));
    this.#addressTable = new AddressTable(this.#addressMemory, PRIMARY_HOLDER);
    this.#clientTable = new ClientTable(this.#clientMemory, PRIMARY_HOLDER);
    this.bans = new BanBook({
      table: store.bans,
      log,
      now,
      publish,
      banMs: () => config().ip.banMs,
      forget: (network) => this.#addressTable.forget(isCountedWithin(network)),
    });
    const isTaken = (name: string): boolean => config().authKey.some((key) => key.name === name);
    this.clients = new ClientBook({ rows: store.clients, table: this.#clientTable, isTaken, publish });
    this.#recallUse(options);
    this.#breaker = watchBreaker(options);
  }

  /** What a worker that starts must know. */
  start(): GuardStart {
    return {
      addresses: this.#addressMemory,
      clientUse: this.#clientMemory,
      bans: this.bans.notices(),
      clients: this.clients.notices(),
      breaker: this.#breaker.notices(),
    };
  }

  hear(message: GuardToPrimary): void {
    this.bans.earned(message.network);
  }

  /** A worker died: what it held in the shared tables is free again. */
  reclaim(part: number): void {
    this.#addressTable.reclaim(part);
    this.#clientTable.reclaim(part);
  }

  /** To be called every 200 ms or so. */
  tick(): void {
    this.bans.tick();
    this.#breaker.tick();
  }

  /** Limits of a day hold over a restart; those of a minute begin anew. */
  #recallUse({ store, now, log }: GuardOfficeOptions): void {
    const isDayLimited = this.clients
      .list()
      .some(({ limits }) => limits.requestsPerDay + limits.tokensPerDay > 0);
    if (!isDayLimited) return;
    const [nowMs, steadyMs] = [now(), monotonicNowMs()];
    try {
      for (const { client, hourMs, requests, tokens } of store.clients.usedSince(nowMs - DAY_MS)) {
        const entry = this.clients.entryOf(client);
        if (entry === undefined) continue;
        const atMs = steadyMs - Math.max(nowMs - hourMs - HOUR_MS, RECALLED_BEFORE_MS);
        this.#clientTable.recall(entry, "requests", atMs, requests);
        this.#clientTable.recall(entry, "tokens", atMs, tokens);
      }
    } catch (error) {
      log.error(
        { err: error },
        "what clients used today could not be read; their limits of a day begin anew",
      );
    }
  }

  [Symbol.dispose](): void {
    this.bans.flush();
  }
}

function watchBreaker({ config, scheduler, now, publish }: GuardOfficeOptions): BreakerWatch {
  return new BreakerWatch({
    thresholds: () => thresholdsOf(config()),
    healths: () => scheduler.modelHealths(),
    returnAtMs: (model) => scheduler.denialFor(model, now()).retryAtMs,
    now,
    publish,
  });
}

function thresholdsOf({ breaker }: GatewayConfig): BreakerThresholds {
  const [low, high] = [parseThreshold(breaker.low), parseThreshold(breaker.high)];
  // The schema lets nothing else pass.
  if (low === undefined || high === undefined)
    throw new TypeError("a threshold of the breaker cannot be read");
  return { low, high };
}
