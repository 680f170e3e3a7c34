/**
 * Does what the operator wants of single keys, in a running gateway: enables, disables and resets them, explains them,
 * tests them. Stored first, then in effect at once. Primary thread, in steps when there are many keys.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import { KEY_ITSELF } from "@gemini-gateway/core/probing/test-plan";
import type { Revocation } from "@gemini-gateway/core/scheduler/revocation";
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { GatewayConfig } from "../config.ts";
import type {
  KeyDeskHandlers,
  KeyExplanation,
  KeySelection,
  KeyWish,
  KeyWishReport,
  KeyWishRequest,
  TestLine,
  TestRequest,
} from "../control/key-desk-types.ts";
import { OperatorError } from "../control/operator-error.ts";
import type { AffinityOffice } from "./affinity/affinity-office.ts";
import { explainKey } from "./explain-key.ts";
import type { KeyRing } from "./key-ring.ts";
import type { Probing } from "./probing/open-probing.ts";
import { TestRun } from "./probing/test-run.ts";
import { chosenKeys, wishRows } from "./store/key-wishes.ts";
import type { KeyRow } from "./store/rows.ts";
import type { Store } from "./store/store.ts";

export interface KeyDeskOptions {
  readonly config: Pick<GatewayConfig, "probe" | "probing" | "models">;
  readonly store: Pick<Store, "keys" | "models" | "tests">;
  readonly affinity: Pick<AffinityOffice, "countOf">;
  readonly scheduler: Scheduler;
  readonly ring: KeyRing;
  readonly probing: Probing;
  readonly revoke: (revoked: readonly Revocation[]) => void;
  /** Called after anything that may have changed whether a key can serve. */
  readonly changed: () => void;
  /** Tells the workers that there is more to lend. */
  readonly grew: () => void;
  readonly now: () => number;
}

export class KeyDesk implements KeyDeskHandlers {
  readonly #options: KeyDeskOptions;

  constructor(options: KeyDeskOptions) {
    this.#options = options;
  }

  async wish(request: KeyWishRequest): Promise<KeyWishReport> {
    const { store, now, changed, grew } = this.#options;
    const { rows, unknown } = await this.#chosen(request);
    for (const slice of wishRows(store, rows, request, now)) {
      for (const { id } of slice) this.#apply(id, request.wish);
      await nextTurn();
    }
    changed();
    if (request.wish !== "disable") grew();
    return { wish: request.wish, changed: rows.length, unknown };
  }

  explain(fingerprint: string): KeyExplanation {
    const { config, store, scheduler, probing, affinity, now } = this.#options;
    const row = store.keys.byFingerprint(fingerprint);
    const view = row === undefined ? undefined : scheduler.keyView(row.id, now());
    if (row === undefined || view === undefined) {
      throw new OperatorError("bad-request", `No key in use has the fingerprint ${fingerprint}.`);
    }
    const models = [KEY_ITSELF, ...probing.plan.models];
    const known = models.flatMap((model) => probing.plan.pair(row.id, model) ?? []);
    // Nobody tests by a plan that is switched off.
    const pairs =
      config.probe === "off" ? known.map((pair) => ({ ...pair, dueAtMs: Number.POSITIVE_INFINITY })) : known;
    const resources = affinity.countOf(row.id);
    return explainKey({ row: { ...row, enabled: view.isEnabled }, ...view, resources, pairs });
  }

  async *test(request: TestRequest, signal: AbortSignal): AsyncGenerator<TestLine, void, void> {
    const { config, ring, probing } = this.#options;
    const isPointed = request.fingerprints.length > 0;
    const { rows, unknown } = await this.#chosen({ ...request, all: !isPointed });
    const keys = rows.flatMap(({ id, enabled }) => (enabled ? (ring.get(id) ?? []) : []));
    const models = request.models.length > 0 ? request.models : config.models;
    const wish = {
      keys,
      models,
      isWhole: request.all || isPointed,
      concurrency: request.concurrency ?? config.probing.concurrency,
      policy: request.ask,
      disabled: rows.filter(({ enabled }) => !enabled).length,
      unknown,
    };
    yield* new TestRun({ ...this.#options, ...probing, batch: config.probing.batch }, wish, signal).lines();
  }

  #apply(id: KeyId, wish: KeyWish): void {
    const { scheduler, probing, revoke, now } = this.#options;
    switch (wish) {
      case "disable":
        revoke(scheduler.setEnabled(id, false, now()).revoked);
        return;
      case "enable":
        scheduler.setEnabled(id, true, now());
        break;
      case "reset":
        scheduler.tests.forget(id, now());
        break;
    }
    probing.plan.wake(id, now());
  }

  async #chosen(selection: KeySelection): Promise<{ rows: readonly KeyRow[]; unknown: readonly string[] }> {
    const choice = chosenKeys(this.#options.store.keys, selection);
    for (;;) {
      const step = choice.next();
      if (step.done === true) return step.value;
      await nextTurn();
    }
  }
}
