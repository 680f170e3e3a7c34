/**
 * The gateway as one object: builds the primary's graph, starts the threads, and takes everything down in order.
 * Primary thread. The command `serve` adds signals and the process's exit code; tests start it in-process.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import type { Logger } from "pino";
import type { GatewayConfig } from "../config.ts";
import { OperatorError } from "../control/operator-error.ts";
import { type ControlServerOptions, startControlServer } from "../control/server.ts";
import type { GuardToWorker } from "../limits/messages.ts";
import { allocateCounters, type DatabaseState, SharedCounters } from "../shared-counters.ts";
import type { AffinityOffice } from "./affinity/affinity-office.ts";
import { connectPool } from "./connect-pool.ts";
import { controlHandlers } from "./control-handlers.ts";
import { guardHandlers } from "./guard/guard-handlers.ts";
import { GuardOffice } from "./guard/guard-office.ts";
import { type Ground, layGround } from "./ground.ts";
import { KeySync } from "./keys/key-sync.ts";
import { runInSteps } from "./keys/steps.ts";
import type { LeaseOffice } from "./lease-office.ts";
import { claimPort, type ClaimedPort } from "./listen-port.ts";
import type { PoolKeeper } from "./pool-keeper.ts";
import type { Probing } from "./probing/open-probing.ts";
import { rescue } from "./rescue.ts";
import { Reporting, type ReportingOptions } from "./reporting/reporting.ts";
import { isHindrance } from "./store/damage.ts";
import { Supervisor, type SupervisorOptions } from "./supervisor.ts";
import type { ThreadEntries } from "./thread-entries.ts";

/** How often rests and leases are looked at, milliseconds. */
const TICK_MS = 200;

export interface Gateway extends AsyncDisposable {
  /** Where clients point their base URL. */
  readonly url: string;
  readonly port: number;
  readonly supervisor: Supervisor;
  readonly scheduler: Scheduler;
  readonly probing: Probing;
  /**
   * Puts another configuration into effect in all threads; requests under way keep theirs. Returns the changed options.
   * @throws ConfigError when one of them needs a new start; then nothing has changed
   */
  reconfigure(next: GatewayConfig): readonly string[];
  /** Whether what is learnt reaches the disk. */
  readonly databaseState: DatabaseState;
  /** Finishes what is being served, at most for the configured grace; then takes everything down. */
  stop(): Promise<"drained" | "cut-off">;
}

/** @throws OperatorError or the system's error when the port, the database or the key folder cannot be used. */
export async function startGateway(
  config: GatewayConfig,
  entries: ThreadEntries,
  log: Logger,
): Promise<Gateway> {
  await using cleanup = new AsyncDisposableStack();
  const startedAtMs = Date.now();
  const claim = await claimPort(config.host, config.port);
  cleanup.defer(() => claim.release());
  const ground = layGround(cleanup, config, log);
  const { store, scheduler, affinity, now } = ground;
  const workers = workersFor(config, claim.reusePort, log);
  const memory = allocateCounters(workers);
  const counters = new SharedCounters(memory, 0);
  const guard = cleanup.use(openGuard(ground, (message) => supervisor.broadcast(message)));
  const starts = { guard: () => guard.start(), affinity: () => affinity.start() };
  const shared = { ...claim, workers, entry: entries.worker, counters: memory, ...starts };
  const supervisor = openSupervisor(ground, shared);
  cleanup.defer(() => supervisor.stop());
  const url = urlOf(config, claim.port);
  const reporting = cleanup.use(
    openReporting(ground, supervisor, counters, { baseUrl: url, startedAtMs, bans: () => guard.bans.size }),
  );
  const { pool, office, probing, keyDesk } = connectPool(ground, entries, supervisor, counters, reporting);
  cleanup.use(probing);
  hearWorkers(supervisor, { office, reporting, guard, affinity });
  const keySync = cleanup.use(openKeySync(ground, pool));
  await runInSteps(pool.restore((rows) => keySync.know(rows)));
  await runInSteps(probing.keeper.restore());
  await keySync.start({ isLoaded: true });
  await runInSteps(affinity.restore());
  store.onReplaced(() => rescue({ ...ground, keySync, guard }));
  followChanges(ground, { supervisor, keySync, reporting });
  pool.updateReadiness();
  const ticking = setInterval(() => {
    counters.database = store.state;
    ground.siblings.write();
    for (const part of [office, probing, guard, affinity]) part.tick();
  }, TICK_MS);
  cleanup.defer(() => clearInterval(ticking));
  const nextTestMs = (id: KeyId): number | undefined => probing.office.nextTestMs(id);
  const told = { keysDir: config.keysDir, store, scheduler, keySync, nextTestMs, now };
  const handlers = controlHandlers({ ...told, status: () => reporting.report() });
  const control = { database: store.path, log, handlers, guard: guardHandlers(guard, now), keyDesk };
  cleanup.use(await openControl(control));
  await supervisor.start();
  reporting.start();
  claim.release();
  return gatewayOf(ground, counters, cleanup.move(), {
    url,
    port: claim.port,
    supervisor,
    scheduler,
    probing,
  });
}

/** The whole as its owner sees it. */
function gatewayOf(
  { live, store }: Ground,
  counters: SharedCounters,
  held: AsyncDisposableStack,
  parts: Pick<Gateway, "url" | "port" | "supervisor" | "scheduler" | "probing">,
): Gateway {
  return {
    ...parts,
    get databaseState() {
      return store.state;
    },
    reconfigure: (next) => live.replace(next),
    stop: async () => {
      counters.readiness = "draining";
      const how = await parts.supervisor.drain(live.current.shutdownGraceMs);
      await held.disposeAsync();
      return how;
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

function openSupervisor(
  { live, clock, log }: Ground,
  shared: Omit<SupervisorOptions, "config" | "clock" | "log">,
): Supervisor {
  return new Supervisor({
    ...shared,
    get config() {
      return live.current;
    },
    clock: clock.anchor,
    log,
  });
}

/** Who hears what of the workers. */
function hearWorkers(
  supervisor: Supervisor,
  parts: {
    readonly office: LeaseOffice;
    readonly reporting: Reporting;
    readonly guard: GuardOffice;
    readonly affinity: AffinityOffice;
  },
): void {
  const { office, reporting, guard, affinity } = parts;
  supervisor.on({
    receive: (...report) => office.receive(...report),
    proved: (leaseId) => office.proved(leaseId),
    pageAsked: (...asked) => reporting.asked(...asked),
    lost: (holder) => office.lost(holder),
    guard: (message) => guard.hear(message),
    learnt: (holder, message) => supervisor.post(holder, affinity.hear(message)),
    projectsAsked: (holder, question) => supervisor.post(holder, affinity.projects.tell(question)),
    died: (part) => guard.reclaim(part),
  });
}

/** A folder that cannot be written costs the commands, not the gateway. */
async function openControl(options: ControlServerOptions): Promise<AsyncDisposable | undefined> {
  try {
    return await startControlServer(options);
  } catch (error) {
    if (!(error instanceof OperatorError) || !isHindrance(error.cause)) throw error;
    options.log.error(
      { problem: error.message },
      "commands such as `gemini-gateway status` cannot reach this gateway",
    );
    return undefined;
  }
}

function openGuard(ground: Ground, publish: (message: GuardToWorker) => void): GuardOffice {
  return new GuardOffice({ ...ground, config: () => ground.live.current, publish });
}

/** What the primary tells, to operators and their tools. */
function openReporting(
  { live, store, bookkeeper, scheduler, affinity, log, now }: Ground,
  supervisor: Supervisor,
  counters: SharedCounters,
  about: Pick<ReportingOptions, "baseUrl" | "startedAtMs" | "bans">,
): Reporting {
  return new Reporting({
    ...about,
    config: () => live.current,
    database: () => ({ state: store.state, ...bookkeeper.backlog }),
    resources: () => affinity.counts,
    post: (holder, message) => supervisor.post(holder, message),
    scheduler,
    supervisor,
    counters,
    log,
    now,
  });
}

function openKeySync({ config, live, store, log }: Ground, pool: PoolKeeper): KeySync {
  return new KeySync({
    keysDir: config.keysDir,
    get intervalMs() {
      return live.current.keySyncIntervalMs;
    },
    store,
    log,
    onChange: (change) => pool.apply(change),
  });
}

/** What does not ask for the configuration each time it needs it is told when it changes. */
function followChanges(
  { live, log }: Ground,
  { supervisor, keySync, reporting }: { supervisor: Supervisor; keySync: KeySync; reporting: Reporting },
): void {
  live.onChange((config, before) => {
    supervisor.broadcast({ type: "config.change", config });
    if (config.logLevel !== before.logLevel) log.level = config.logLevel;
    // The intervals that run now may be longer than the new ones.
    if (config.keySyncIntervalMs !== before.keySyncIntervalMs) keySync.syncSoon();
    if (config.status.intervalMs !== before.status.intervalMs) reporting.reschedule();
  });
}

function workersFor(config: GatewayConfig, reusePort: ClaimedPort["reusePort"], log: Logger): number {
  if (reusePort || config.workers === 1) return config.workers;
  log.warn(
    "this platform cannot share a port between threads: one worker serves instead of %d",
    config.workers,
  );
  return 1;
}

function urlOf(config: GatewayConfig, port: number): string {
  const host = config.host === "0.0.0.0" || config.host === "::" ? "127.0.0.1" : config.host;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}${config.pathPrefix}`;
}
