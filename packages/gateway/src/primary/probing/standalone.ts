/**
 * Tests keys when no gateway runs: the same plan, threads and states, opened for one run and stored at its end. It holds
 * the database's lock meanwhile. Primary thread of the command line; serves nobody.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import type { Logger } from "pino";
import { nextPacificMidnightMs } from "@gemini-gateway/gemini/pacific-midnight";
import type { GatewayConfig } from "../../config.ts";
import { quotasOf } from "../../config/quotas.ts";
import type { TestLine, TestRequest } from "../../control/key-desk-types.ts";
import { allocateCounters, SharedCounters } from "../../shared-counters.ts";
import { SteadyClock } from "../../steady-clock.ts";
import { Bookkeeper } from "../bookkeeper.ts";
import { KeyDesk } from "../key-desk.ts";
import { KeyRing } from "../key-ring.ts";
import { KeySync } from "../keys/key-sync.ts";
import { runInSteps } from "../keys/steps.ts";
import { PoolKeeper } from "../pool-keeper.ts";
import { Siblings } from "../siblings.ts";
import { openStore } from "../store/store.ts";
import { openProbing } from "./open-probing.ts";

export interface StandaloneOptions {
  readonly config: GatewayConfig;
  /** Entry of a prober thread. */
  readonly entry: URL;
  readonly log: Logger;
}

/** @throws OperatorError when the database or the key folder cannot be used. */
export async function* testStandalone(
  { config, entry, log }: StandaloneOptions,
  request: TestRequest,
  signal: AbortSignal,
): AsyncGenerator<TestLine, void, void> {
  await using cleanup = new AsyncDisposableStack();
  const clock = new SteadyClock();
  const { now } = clock;
  const store = cleanup.use(openStore(config.database));
  const scheduler = new Scheduler(
    {
      rests: config.rest,
      projectConcurrencyMax: config.limits.keyConcurrency,
      leaseTtlMs: config.lease.ttlMs,
      quotas: quotasOf(config.quotas),
      quotaDayEndMs: nextPacificMidnightMs,
    },
    Math.random,
  );
  const ring = new KeyRing();
  const siblings = cleanup.use(new Siblings({ scheduler, ring, store, log, now }));
  const nothing = (): void => {};
  const ground = {
    clock,
    config,
    entry,
    log,
    now,
    store,
    scheduler,
    ring,
    siblings,
    revoke: nothing,
    changed: nothing,
    grew: nothing,
  };
  cleanup.use(new Bookkeeper({ store, scheduler, log, logRequests: () => false, now }));
  const probing = cleanup.use(openProbing(ground));
  const counters = new SharedCounters(allocateCounters(1), 0);
  const pool = new PoolKeeper({ ...ground, plan: probing.plan, counters, keysDir: config.keysDir });
  await runInSteps(pool.restore());
  await runInSteps(probing.keeper.restore());
  const { keysDir, keySyncIntervalMs: intervalMs } = config;
  const sync = cleanup.use(
    new KeySync({ keysDir, intervalMs, store, log, onChange: (change) => pool.apply(change) }),
  );
  await sync.start();
  const affinity = { countOf: (keyId: KeyId) => store.resources.countOf([keyId]) };
  yield* new KeyDesk({ ...ground, affinity, probing }).test(request, signal);
}
