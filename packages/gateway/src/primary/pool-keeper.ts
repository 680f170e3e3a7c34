/**
 * Keeps the scheduler and the key ring in step with the store, and tells all threads whether any key can serve.
 * Primary thread.
 */
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import type { TestPlan } from "@gemini-gateway/core/probing/test-plan";
import type { Revocation } from "@gemini-gateway/core/scheduler/revocation";
import { resolve } from "node:path";
import type { Logger } from "pino";
import type { SharedCounters } from "../shared-counters.ts";
import type { KeyRing } from "./key-ring.ts";
import type { Steps } from "./keys/steps.ts";
import type { Siblings } from "./siblings.ts";
import type { AppliedKeyChange, KeyRow } from "./store/rows.ts";
import type { Store } from "./store/store.ts";
import { keyStatesOf, laneStatesOf } from "./stored-health.ts";

export interface PoolKeeperOptions {
  readonly scheduler: Scheduler;
  readonly ring: KeyRing;
  readonly plan: TestPlan;
  readonly siblings: Siblings;
  readonly store: Store;
  readonly counters: SharedCounters;
  readonly keysDir: string;
  /** Takes unused leases back from the workers. */
  readonly revoke: (revoked: readonly Revocation[]) => void;
  /** Tells the workers that there is more to lend. */
  readonly grew: () => void;
  readonly log: Logger;
  readonly now: () => number;
}

export class PoolKeeper {
  readonly #options: PoolKeeperOptions;

  constructor(options: PoolKeeperOptions) {
    this.#options = options;
  }

  /**
   * Takes over what the last run knew: keys, then the state of their models, a page at a time.
   * @param onPage hears of every row that was read, retired ones too
   */
  *restore(onPage: (rows: readonly KeyRow[]) => void = ignore): Steps<void> {
    const { store, scheduler, now } = this.#options;
    for (const page of store.keys.pages()) {
      onPage(page);
      const rows = page.filter(({ retiredAtMs }) => retiredAtMs === null);
      this.#add(rows);
      scheduler.restore(keyStatesOf(rows), [], now());
      yield;
    }
    for (const page of store.models.pages()) {
      scheduler.restore([], laneStatesOf(page), now());
      yield;
    }
  }

  /** Follows a change of the key files. */
  apply(change: AppliedKeyChange): void {
    const { scheduler, ring, plan, siblings, revoke, now } = this.#options;
    this.#add(change.added);
    scheduler.restore(keyStatesOf(change.added), [], now());
    for (const { id, project } of change.relabelled) scheduler.assignProject(id, project ?? undefined);
    siblings.know(change.relabelled);
    revoke(scheduler.retireKeys(change.retired, now()).revoked);
    ring.remove(change.retired);
    plan.removeKeys(change.retired);
    siblings.forget(change.retired);
    this.updateReadiness();
    if (change.added.length > 0) this.#options.grew();
  }

  /** Publishes whether any key can serve, and says so when it changes. */
  updateReadiness(): void {
    const { counters, scheduler, ring, keysDir, log, now } = this.#options;
    if (counters.readiness === "draining") return;
    const readiness = scheduler.readiness(now()).isReady ? "ready" : "no-key-ready";
    if (readiness === counters.readiness && ring.size > 0) return;
    counters.readiness = readiness;
    if (readiness === "ready") log.info({ keys: ring.size }, "ready: at least one key can serve");
    else if (ring.size > 0)
      log.warn({ keys: ring.size }, "no key can serve now; `gemini-gateway status` says why");
    else this.#adviseOnEmptyPool(keysDir);
  }

  #advised = false;

  #adviseOnEmptyPool(keysDir: string): void {
    if (this.#advised) return;
    this.#advised = true;
    this.#options.log.warn(
      { keysDir: resolve(keysDir) },
      "there is no key: put your Gemini API keys into a file in the keys folder, one a line; it is read without a restart",
    );
  }

  #add(rows: readonly KeyRow[]): void {
    const { scheduler, ring, plan, siblings, now } = this.#options;
    ring.add(rows);
    plan.addKeys(
      rows.map(({ id }) => id),
      now(),
    );
    scheduler.addKeys(rows.map(({ id, project }) => ({ id, project: project ?? undefined })));
    for (const { id, enabled } of rows) if (!enabled) scheduler.setEnabled(id, false, now());
    siblings.know(rows);
  }
}

function ignore(): void {}
