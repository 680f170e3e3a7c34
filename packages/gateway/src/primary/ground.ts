/**
 * What the parts of the primary stand on: clock, database, scheduler and what writes down and remembers for them.
 * Primary thread; built once at the start.
 */
import { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import { availableParallelism } from "node:os";
import type { Logger } from "pino";
import type { GatewayConfig } from "../config.ts";
import { quotasOf } from "../config/quotas.ts";
import { SteadyClock } from "../steady-clock.ts";
import { AffinityOffice } from "./affinity/affinity-office.ts";
import { Bookkeeper } from "./bookkeeper.ts";
import { KeyRing } from "./key-ring.ts";
import { quotaDayEndMs } from "./lease-office.ts";
import { LiveConfig } from "./live-config.ts";
import { Retention } from "./retention.ts";
import { Siblings } from "./siblings.ts";
import { DurableStore } from "./store/durable-store.ts";

/** What the parts of the primary share. */
export interface Ground {
  /** As at the start: for what only a new start changes. */
  readonly config: GatewayConfig;
  readonly live: LiveConfig;
  readonly log: Logger;
  readonly clock: SteadyClock;
  readonly now: () => number;
  readonly store: DurableStore;
  readonly scheduler: Scheduler;
  readonly ring: KeyRing;
  readonly siblings: Siblings;
  readonly affinity: AffinityOffice;
  readonly bookkeeper: Bookkeeper;
}

/** @throws OperatorError when the database cannot be used */
export function layGround(cleanup: AsyncDisposableStack, config: GatewayConfig, log: Logger): Ground {
  const clock = new SteadyClock();
  const { now } = clock;
  const store = cleanup.use(new DurableStore({ path: config.database, log, now }));
  const live = new LiveConfig(config);
  const options = {
    get rests() {
      return live.current.rest;
    },
    get leaseTtlMs() {
      return live.current.lease.ttlMs;
    },
    projectConcurrencyMax: config.limits.keyConcurrency,
    quotas: quotasOf(config.quotas),
    quotaDayEndMs: (nowMs: number) => quotaDayEndMs(clock.wallLeadMs, nowMs),
  };
  const scheduler = new Scheduler(options, Math.random);
  const logRequests = (): boolean => live.current.requestLog;
  const workersPerCore = Math.ceil(config.workers / availableParallelism());
  const bookkeeper = cleanup.use(new Bookkeeper({ store, scheduler, log, logRequests, now, workersPerCore }));
  cleanup.use(new Retention({ store, settings: () => live.current, log, now })).start();
  const ring = new KeyRing();
  const siblings = cleanup.use(new Siblings({ scheduler, ring, store, log, now }));
  const { conversations } = config.affinity;
  const listProjects = (): number => live.current.affinity.listProjects;
  const told = { store, log, now };
  const affinity = cleanup.use(
    new AffinityOffice({ ...told, scheduler, siblings, ring, conversations, listProjects }),
  );
  return { config, live, log, clock, now, store, scheduler, ring, siblings, affinity, bookkeeper };
}
