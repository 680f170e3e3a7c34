/**
 * The gateway as one object: builds the primary's graph, starts the threads, and takes everything down in order.
 * Primary thread. The command `serve` adds signals and the process's exit code; tests start it in-process.
 */
import type { Logger } from "pino";
import { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import { startControlServer } from "../control/server.ts";
import type { GatewayConfig } from "../config.ts";
import { allocateCounters, SharedCounters } from "../shared-counters.ts";
import { Bookkeeper } from "./bookkeeper.ts";
import { controlHandlers } from "./control-handlers.ts";
import { KeyRing } from "./key-ring.ts";
import { KeySync } from "./keys/key-sync.ts";
import { LeaseOffice } from "./lease-office.ts";
import { claimPort } from "./listen-port.ts";
import { PoolKeeper } from "./pool-keeper.ts";
import { openStore } from "./store/store.ts";
import { Supervisor } from "./supervisor.ts";
import type { ThreadEntries } from "./thread-entries.ts";

/** How often rests and leases are looked at, milliseconds. */
const TICK_MS = 200;

export interface Gateway extends AsyncDisposable {
  /** Where clients point their base URL. */
  readonly url: string;
  readonly port: number;
  readonly supervisor: Supervisor;
  readonly scheduler: Scheduler;
  /** Finishes what is being served, at most for the configured grace; then takes everything down. */
  stop(): Promise<"drained" | "cut-off">;
}

/** @throws OperatorError or the system's error when the port, the database or the key folder cannot be used. */
export async function startGateway(config: GatewayConfig, entries: ThreadEntries, log: Logger): Promise<Gateway> {
  await using cleanup = new AsyncDisposableStack();
  const now = Date.now;
  const startedAtMs = now();
  const claim = await claimPort(config.host, config.port);
  cleanup.defer(() => claim.release());
  const store = cleanup.use(openStore(config.database));
  const workers = workersFor(config, claim.reusePort, log);
  const memory = allocateCounters(workers);
  const counters = new SharedCounters(memory, 0);
  const scheduler = new Scheduler(schedulerOptions(config), Math.random);
  const ring = new KeyRing();
  const pool = new PoolKeeper({
    scheduler,
    ring,
    store,
    counters,
    keysDir: config.keysDir,
    revoke: (revoked) => office.revoke(revoked),
    grew: () => supervisor.broadcast({ type: "pool.grew" }),
    log,
    now,
  });
  const bookkeeper = cleanup.use(
    new Bookkeeper({ store, scheduler, log, logRequests: config.requestLog, now }),
  );
  const office: LeaseOffice = new LeaseOffice({
    scheduler,
    ring,
    post: (holder, message) => supervisor.post(holder, message),
    rows: (rows) => bookkeeper.record(rows),
    changed: () => pool.updateReadiness(),
    now,
  });
  const supervisor = new Supervisor({
    config,
    port: claim.port,
    reusePort: claim.reusePort,
    workers,
    entry: entries.worker,
    counters: memory,
    log,
    receive: (holder, message) => office.receive(holder, message),
    lost: (holder) => office.lost(holder),
  });
  cleanup.defer(() => supervisor.stop());
  pool.restore();
  const keySync = cleanup.use(
    new KeySync({
      keysDir: config.keysDir,
      intervalMs: config.keySyncIntervalMs,
      store,
      log,
      onChange: (change) => pool.apply(change),
    }),
  );
  await keySync.start();
  pool.updateReadiness();
  const url = urlOf(config, claim.port);
  const ticking = setInterval(() => office.tick(), TICK_MS);
  cleanup.defer(() => clearInterval(ticking));
  const control = await startControlServer({
    database: store.path,
    log,
    handlers: controlHandlers({
      keysDir: config.keysDir,
      baseUrl: url,
      store,
      scheduler,
      keySync,
      supervisor,
      bookkeeper,
      counters,
      startedAtMs,
      now,
    }),
  });
  cleanup.use(control);
  await supervisor.start();
  claim.release();
  const held = cleanup.move();
  return {
    url,
    port: claim.port,
    supervisor,
    scheduler,
    stop: async () => {
      counters.readiness = "draining";
      const how = await supervisor.drain(config.shutdownGraceMs);
      await held.disposeAsync();
      return how;
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

function workersFor(config: GatewayConfig, reusePort: boolean, log: Logger): number {
  if (reusePort || config.workers === 1) return config.workers;
  log.warn("this platform cannot share a port between threads: one worker serves instead of %d", config.workers);
  return 1;
}

function schedulerOptions(config: GatewayConfig): ConstructorParameters<typeof Scheduler>[0] {
  return {
    rests: config.rest,
    projectConcurrencyMax: config.limits.keyConcurrency,
    leaseTtlMs: config.lease.ttlMs,
  };
}

function urlOf(config: GatewayConfig, port: number): string {
  const host = config.host === "0.0.0.0" || config.host === "::" ? "127.0.0.1" : config.host;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}${config.pathPrefix}`;
}
