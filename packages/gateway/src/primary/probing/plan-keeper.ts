/**
 * Keeps the plan of the tests over a restart: reads it at the start, writes what changed in small batches. Primary
 * thread. A database that cannot be written costs tests done twice after a restart, and nothing else.
 */
import type { PlannedPair, TestPlan } from "@gemini-gateway/core/probing/test-plan";
import type { Logger } from "pino";
import type { Steps } from "../keys/steps.ts";
import type { Store } from "../store/store.ts";

export interface PlanKeeperOptions {
  readonly plan: TestPlan;
  readonly store: Pick<Store, "tests">;
  readonly log: Logger;
  readonly now: () => number;
}

/** Pairs written in one turn. */
const PAIRS_A_TURN = 500;
/** After a write that failed the next one waits this long, milliseconds. */
const RETRY_MS = 10_000;

export class PlanKeeper implements Disposable {
  readonly #options: PlanKeeperOptions;
  #unsaved: readonly PlannedPair[] = [];
  #retryAtMs = 0;

  constructor(options: PlanKeeperOptions) {
    this.#options = options;
  }

  /** Takes over what the last run planned, for keys that are in the plan already. */
  *restore(): Steps<void> {
    const { plan, store, now } = this.#options;
    for (const page of store.tests.pages()) {
      plan.restore(page, now());
      yield;
    }
  }

  /** Writes some of what changed. To be called about every second. */
  write(): void {
    const { store, now, log } = this.#options;
    if (now() < this.#retryAtMs || this.#take().length === 0) return;
    try {
      store.tests.save(this.#unsaved);
      this.#unsaved = [];
    } catch (error) {
      this.#retryAtMs = now() + RETRY_MS;
      log.error({ err: error }, "the plan of key tests cannot be written; testing goes on from memory");
    }
  }

  /** Writes all that is left, unless the database refuses. */
  [Symbol.dispose](): void {
    this.#retryAtMs = 0;
    while (this.#retryAtMs === 0 && this.#take().length > 0) this.write();
  }

  /** A batch that could not be written stays in hand and goes first next time. */
  #take(): readonly PlannedPair[] {
    if (this.#unsaved.length === 0) this.#unsaved = this.#options.plan.takeDirty(PAIRS_A_TURN);
    return this.#unsaved;
  }
}
