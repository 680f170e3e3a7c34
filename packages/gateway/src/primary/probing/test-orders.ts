/**
 * Hands tests out and takes their outcomes back: each takes its key's trial slot of the scheduler, so that a key is never
 * tried twice at once, whoever tries it. Primary thread. Decides nothing: the plan and the scheduler (core) do.
 */
import type { HolderId, LeaseId } from "@gemini-gateway/core/lease";
import type { Outcome } from "@gemini-gateway/core/outcome";
import type { ProbeAsk } from "@gemini-gateway/core/probing/ask";
import { KEY_ITSELF, type Pair, type TestPlan } from "@gemini-gateway/core/probing/test-plan";
import { isLaneOpen } from "@gemini-gateway/core/lane";
import type { Revocation } from "@gemini-gateway/core/scheduler/revocation";
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import type { ProbeTest } from "../../probe-protocol.ts";
import type { KeyRing, RingKey } from "../key-ring.ts";
import type { Siblings } from "../siblings.ts";
import type { ProbePool } from "./probe-pool.ts";

export interface TestOrdersOptions {
  readonly scheduler: Scheduler;
  readonly ring: KeyRing;
  readonly plan: TestPlan;
  readonly pool: ProbePool;
  readonly siblings: Pick<Siblings, "heard">;
  /** Takes unused leases back from the workers. */
  readonly revoke: (revoked: readonly Revocation[]) => void;
  /** Called after anything that may have changed whether a key can serve. */
  readonly changed: () => void;
  /** Tells the workers that a key is back: what was denied a moment ago may be lent now. */
  readonly grew: () => void;
  readonly now: () => number;
}

/** A test that has its lease. */
export interface TestOrder {
  readonly pair: Pair;
  readonly key: RingKey;
  readonly leaseId: LeaseId;
  readonly ask: ProbeAsk;
  /** The model asked; {@link KEY_ITSELF} when none is. */
  readonly model: string;
}

export interface TestEnd {
  readonly order: TestOrder;
  readonly outcome: Outcome;
  readonly durationMs: number;
}

/** Holds the leases of tests; workers are numbered from 1. */
const TESTER: HolderId = 0;

export class TestOrders {
  readonly #options: TestOrdersOptions;

  constructor(options: TestOrdersOptions) {
    this.#options = options;
  }

  /** Takes the lease for a test; undefined when the key is gone, disabled, or tried by another use now. */
  open(pair: Pair, ask: ProbeAsk): TestOrder | undefined {
    const { scheduler, ring, now } = this.#options;
    const model = this.#modelToAsk(pair, ask);
    const key = ring.get(pair.keyId);
    const lease = key === undefined ? undefined : scheduler.tests.lease(TESTER, pair.keyId, model, now());
    return key === undefined || lease === undefined
      ? undefined
      : { pair, key, leaseId: lease.id, ask, model };
  }

  /**
   * Runs the tests and applies their outcomes. Undefined when no thread could run them: then their leases are given
   * back, nothing is learnt, and the pairs stay due.
   */
  async run(orders: readonly TestOrder[], concurrency: number): Promise<readonly TestEnd[] | undefined> {
    const report = await this.#options.pool.run(orders.map(testOf), concurrency);
    const { scheduler, plan, now, changed, grew } = this.#options;
    if (report === undefined) {
      for (const { leaseId, pair } of orders) {
        scheduler.giveBack({ leaseId, uses: 1 }, now());
        plan.keep(pair, now());
      }
      return undefined;
    }
    const ends = orders.flatMap((order, index) => {
      const result = report[index];
      return result === undefined ? [] : [{ order, ...result }];
    });
    const areBack = ends.map((end) => this.#settle(end));
    changed();
    if (areBack.includes(true)) grew();
    return ends;
  }

  /** True when the key can serve the model now and could not before. */
  #settle({ order: { leaseId, ask, pair, model }, outcome }: TestEnd): boolean {
    const { scheduler, plan, siblings, revoke, now } = this.#options;
    siblings.heard(pair.keyId, outcome);
    const couldServe = scheduler.tests.canServe(pair.keyId, model);
    revoke(scheduler.tests.settle({ leaseId, outcome, ask }, now()).revoked);
    plan.tested(pair, outcome, now());
    return !couldServe && scheduler.tests.canServe(pair.keyId, model);
  }

  /** A key itself is asked on a model that its project has open, if there is one. */
  #modelToAsk({ keyId, model }: Pair, ask: ProbeAsk): string {
    if (model !== KEY_ITSELF || ask === "list") return model;
    const { plan, scheduler } = this.#options;
    const isOpen = (name: string): boolean => {
      const lane = scheduler.tests.subject(keyId, name)?.lane;
      return lane === undefined || isLaneOpen(lane);
    };
    return plan.models.find(isOpen) ?? plan.models[0] ?? KEY_ITSELF;
  }
}

function testOf({ key, ask, model }: TestOrder): ProbeTest {
  return { secret: key.secret, ask: model === KEY_ITSELF ? "list" : ask, model };
}
