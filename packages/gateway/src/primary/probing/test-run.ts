/**
 * A run of tests that the operator asked for: the keys that are out first, then the models of those in service, in
 * batches, each told as it ends. Primary thread. It takes the same trial slots and the same rate as the tests the
 * gateway makes by itself.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import {
  askForKey,
  askForModel,
  type AskPolicy,
  isOutOfService,
  type ProbeAsk,
} from "@gemini-gateway/core/probing/ask";
import { KEY_ITSELF, type Pair, type TestPlan } from "@gemini-gateway/core/probing/test-plan";
import type { TestRate } from "@gemini-gateway/core/probing/test-rate";
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import { setTimeout as wait } from "node:timers/promises";
import type { TestLine, TestResultLine } from "../../control/key-desk-types.ts";
import { OperatorError } from "../../control/operator-error.ts";
import type { RingKey } from "../key-ring.ts";
import { restingPlace } from "../keys/steps.ts";
import type { TestEnd, TestOrder, TestOrders } from "./test-orders.ts";

export interface TestRunOptions {
  readonly scheduler: Scheduler;
  readonly plan: TestPlan;
  readonly orders: Pick<TestOrders, "open" | "run">;
  readonly rate: TestRate;
  readonly batch: number;
  readonly now: () => number;
}

export interface TestRunWish {
  readonly keys: readonly RingKey[];
  readonly models: readonly string[];
  /** False leaves out what is known to work or rests until the clock frees it. */
  readonly isWhole: boolean;
  readonly concurrency: number;
  readonly policy: AskPolicy;
  /** Keys left out because the operator disabled them, and fingerprints that name no key: to be told at the end. */
  readonly disabled: number;
  readonly unknown: readonly string[];
}

export class TestRun {
  readonly #options: TestRunOptions;
  readonly #wish: TestRunWish;
  readonly #signal: AbortSignal;
  readonly #rest = restingPlace();
  #done = 0;
  #total = 0;
  #tested = 0;
  /** Keys that worked on a model, in this run or when last seen. */
  readonly #serving = new Set<KeyId>();

  constructor(options: TestRunOptions, wish: TestRunWish, signal: AbortSignal) {
    this.#options = options;
    this.#wish = wish;
    this.#signal = signal;
  }

  /** @throws OperatorError when no thread can run a test. */
  async *lines(): AsyncGenerator<TestLine, void, void> {
    const { keys, models, disabled, unknown } = this.#wish;
    const { out, inService } = await this.#sorted(keys);
    this.#total = out.length + inService.length * models.length;
    yield { type: "planned", total: this.#total };
    for (const batch of this.#batches(out, [KEY_ITSELF])) yield* this.#run(batch);
    const { inService: back } = await this.#sorted(out);
    this.#total += back.length * models.length;
    for (const batch of this.#batches([...inService, ...back], models)) yield* this.#run(batch);
    yield { type: "ended", tested: this.#tested, serving: this.#serving.size, disabled, unknown };
  }

  /** A pool of 100,000 keys is looked through in short steps. */
  async #sorted(
    keys: readonly RingKey[],
  ): Promise<{ readonly out: readonly RingKey[]; readonly inService: readonly RingKey[] }> {
    const [out, inService]: [RingKey[], RingKey[]] = [[], []];
    for (const key of keys) {
      (this.#isOut(key.id) ? out : inService).push(key);
      await this.#rest();
    }
    return { out, inService };
  }

  /** Every key on every model, cut into batches as they are asked for. */
  *#batches(keys: Iterable<RingKey>, models: readonly string[]): Generator<readonly Wanted[], void, void> {
    let batch: Wanted[] = [];
    for (const key of keys) {
      for (const model of models) {
        if (this.#signal.aborted) return;
        batch.push({ key, pair: { keyId: key.id, model } });
        if (batch.length < this.#options.batch) continue;
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
  }

  async *#run(batch: readonly Wanted[]): AsyncGenerator<TestLine, void, void> {
    const { orders, rate, now } = this.#options;
    const open: TestOrder[] = [];
    // A batch in which nothing is to be asked waits for nothing, and there may be thousands.
    await this.#rest();
    for (const { key, pair } of batch) {
      const ask = this.#askFor(pair);
      const order = ask === undefined ? undefined : orders.open(pair, ask);
      if (order === undefined) yield this.#skipped(key);
      else open.push(order);
    }
    if (open.length === 0) return;
    rate.use(open.length);
    const ends = await orders.run(open, this.#wish.concurrency);
    if (ends === undefined) {
      throw new OperatorError("control-failed", "The test threads could not run; the log says more.");
    }
    for (const end of ends) yield this.#told(end);
    const waitMs = rate.waitMs(now());
    if (waitMs > 0) await wait(waitMs, undefined, { signal: this.#signal }).catch(() => undefined);
  }

  /** Undefined when there is nothing to ask. */
  #askFor({ keyId, model }: Pair): ProbeAsk | undefined {
    const { scheduler, plan, now } = this.#options;
    const { policy, isWhole } = this.#wish;
    const subject = scheduler.tests.subject(keyId, model);
    if (subject === undefined) return undefined;
    if (model === KEY_ITSELF) return askForKey(policy, subject);
    const planned = plan.pair(keyId, model);
    const isSettled = planned?.outcome === "served" && planned.dueAtMs > now();
    if (isWhole || !isSettled) return askForModel(policy, subject);
    this.#serving.add(keyId);
    return undefined;
  }

  #skipped({ fingerprint }: RingKey): TestLine {
    this.#done += 1;
    return { type: "skipped", done: this.#done, total: this.#total, fingerprint };
  }

  #told({ order, outcome, durationMs }: TestEnd): TestResultLine {
    this.#done += 1;
    this.#tested += 1;
    if (outcome.kind === "served" && order.model !== KEY_ITSELF) this.#serving.add(order.key.id);
    const evidence = "evidence" in outcome ? outcome.evidence : { httpStatus: 200, reason: "" };
    return {
      type: "result",
      done: this.#done,
      total: this.#total,
      fingerprint: order.key.fingerprint,
      model: order.pair.model === KEY_ITSELF ? null : order.pair.model,
      ask: order.ask,
      outcome: outcome.kind,
      httpStatus: evidence.httpStatus,
      reason: evidence.reason,
      durationMs,
    };
  }

  #isOut(id: KeyId): boolean {
    const subject = this.#options.scheduler.tests.subject(id, KEY_ITSELF);
    return subject !== undefined && isOutOfService(subject);
  }
}

interface Wanted {
  readonly key: RingKey;
  readonly pair: Pair;
}
