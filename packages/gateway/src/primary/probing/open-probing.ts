/**
 * Builds what tests the pool, in one place: the plan, its keeper, the threads, and the two who use them, the gateway by
 * itself and the operator by a command. Primary thread.
 */
import type { Revocation } from "@gemini-gateway/core/scheduler/revocation";
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import { TestPlan } from "@gemini-gateway/core/probing/test-plan";
import { TestRate } from "@gemini-gateway/core/probing/test-rate";
import type { Logger } from "pino";
import type { GatewayConfig } from "../../config.ts";
import type { SteadyClock } from "../../steady-clock.ts";
import type { KeyRing } from "../key-ring.ts";
import type { Siblings } from "../siblings.ts";
import type { Store } from "../store/store.ts";
import { PlanKeeper } from "./plan-keeper.ts";
import { ProbeOffice } from "./probe-office.ts";
import { ProbePool } from "./probe-pool.ts";
import { TestOrders } from "./test-orders.ts";

export interface ProbingGround {
  readonly config: GatewayConfig;
  /** Entry of a prober thread. */
  readonly entry: URL;
  readonly log: Logger;
  readonly clock: SteadyClock;
  readonly now: () => number;
  readonly store: Store;
  readonly scheduler: Scheduler;
  readonly ring: KeyRing;
  readonly siblings: Pick<Siblings, "heard">;
  readonly revoke: (revoked: readonly Revocation[]) => void;
  readonly changed: () => void;
  readonly grew: () => void;
}

export interface Probing extends AsyncDisposable {
  readonly plan: TestPlan;
  readonly keeper: PlanKeeper;
  readonly pool: ProbePool;
  readonly orders: TestOrders;
  readonly rate: TestRate;
  readonly office: ProbeOffice;
  /** Begins what is due and writes some of what changed. To be called several times a second. */
  tick(): void;
}

/** Dispose it before the store: what is left of the plan is written then. */
export function openProbing(ground: ProbingGround): Probing {
  const { config, log, now } = ground;
  const { probing, models, probe: policy } = config;
  const intervals = {
    servedMs: probing.afterSuccessMs,
    forbiddenMs: probing.afterForbiddenMs,
    clientErrorMs: probing.afterRefusalMs,
    serverErrorMs: probing.afterServerErrorMs,
    networkMs: probing.afterNetworkFaultMs,
    afterFailureMs: probing.afterFailureMs,
  };
  const plan = new TestPlan({ models, intervals }, Math.random);
  const keeper = new PlanKeeper({ ...ground, plan });
  const pool = new ProbePool(ground);
  const orders = new TestOrders({ ...ground, plan, pool });
  const rate = new TestRate(probing.perMinute, now());
  const office = new ProbeOffice({ ...ground, config: probing, policy, plan, orders, rate, log });
  const dispose = async (): Promise<void> => {
    await pool[Symbol.asyncDispose]();
    keeper[Symbol.dispose]();
  };
  const tick = (): void => {
    office.tick();
    keeper.write();
  };
  return { plan, keeper, pool, orders, rate, office, tick, [Symbol.asyncDispose]: dispose };
}
