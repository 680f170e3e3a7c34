/**
 * Tests the pool by itself: looks for pairs that are due, hands them to the prober threads in batches, and hears of every
 * request, because one that was served is as good as a test. Primary thread, a bounded walk in each turn.
 */
import type { KeyId, Settlement } from "@gemini-gateway/core/lease";
import type { AskPolicy } from "@gemini-gateway/core/probing/ask";
import { judgePair } from "@gemini-gateway/core/probing/judge-pair";
import { KEY_ITSELF, type Pair } from "@gemini-gateway/core/probing/test-plan";
import type { TestRate } from "@gemini-gateway/core/probing/test-rate";
import type { Logger } from "pino";
import type { GatewayConfig } from "../../config.ts";
import { PROBE_THREADS_MAX } from "./probe-pool.ts";
import type { TestOrder, TestOrders, TestOrdersOptions } from "./test-orders.ts";

export interface ProbeOfficeOptions extends Pick<TestOrdersOptions, "scheduler" | "plan" | "now"> {
  readonly config: Pick<GatewayConfig["probing"], "batch" | "concurrency">;
  /** `off` never tests by itself; an operator may still ask for tests. */
  readonly policy: AskPolicy | "off";
  readonly orders: TestOrders;
  readonly rate: TestRate;
  readonly log: Logger;
}

/** Pairs looked at in one turn: some tenths of a millisecond, one the first time round a model that was just learnt. */
const STEPS_A_TURN = 25_000;
/** Batches lost in a row after which requests try what is out of service again. */
const BROKEN_AFTER = 3;
/** How often the moment of the next trial is looked up, milliseconds. */
const TELL_INTERVAL_MS = 1_000;
/** Pause after a batch that no thread could run, milliseconds. */
const BROKEN_PAUSE_MS = 60_000;

export class ProbeOffice {
  readonly #options: ProbeOfficeOptions;
  #running = 0;
  #brokenBatches = 0;
  #pausedUntilMs = 0;
  #nextTrialAtMs: number | undefined;
  #tellAgainAtMs = 0;

  constructor(options: ProbeOfficeOptions) {
    this.#options = options;
    this.#claimTrials();
  }

  /** Begins a batch when there is something due, a thread free and the rate allows it. To be called several times a second. */
  tick(): void {
    const { policy, config, now, rate, plan } = this.#options;
    const nowMs = now();
    if (policy !== "off") this.#tellNextTrial(nowMs);
    if (policy === "off" || this.#running >= this.#threads || nowMs < this.#pausedUntilMs) return;
    const max = Math.min(config.batch, rate.available(nowMs));
    if (max === 0) return;
    const due = plan.takeDue(nowMs, max, STEPS_A_TURN);
    const orders = due.flatMap((pair) => this.#orderFor(pair, policy, nowMs));
    if (orders.length === 0) return;
    rate.use(orders.length);
    void this.#run(orders);
  }

  /** A request has ended: before the scheduler hears of it, which closes the lease. */
  heard({ leaseId, outcome }: Settlement): void {
    const { policy, scheduler, plan, now } = this.#options;
    if (policy === "off") return;
    const pair = scheduler.tests.leased(leaseId);
    if (pair === undefined) return;
    if (outcome.kind === "served") return plan.served(pair, now());
    plan.failed(pair, outcome, now());
    // Whoever is refused because of it asks in this very turn when to come back.
    const dueAtMs = plan.pair(pair.keyId, KEY_ITSELF)?.dueAtMs ?? Number.POSITIVE_INFINITY;
    if (dueAtMs < (this.#nextTrialAtMs ?? Number.POSITIVE_INFINITY)) this.#tell(dueAtMs);
  }

  /** When a key that is out of service is tested next; undefined when nobody tests it. */
  nextTestMs(keyId: KeyId): number | undefined {
    if (this.#options.policy === "off") return undefined;
    const atMs = this.#options.plan.pair(keyId, KEY_ITSELF)?.dueAtMs;
    return atMs !== undefined && Number.isFinite(atMs) ? atMs : undefined;
  }

  #tellNextTrial(nowMs: number): void {
    if (nowMs < this.#tellAgainAtMs) return;
    this.#tellAgainAtMs = nowMs + TELL_INTERVAL_MS;
    this.#tell(this.#options.plan.nextKeyTestMs());
  }

  #tell(atMs: number | undefined): void {
    this.#nextTrialAtMs = atMs;
    this.#options.scheduler.tests.nextTrialAtMs = atMs;
  }

  get #threads(): number {
    return Math.min(PROBE_THREADS_MAX, this.#options.config.concurrency);
  }

  #orderFor(pair: Pair, policy: AskPolicy, nowMs: number): TestOrder[] {
    const { scheduler, plan, orders } = this.#options;
    const subject = scheduler.tests.subject(pair.keyId, pair.model);
    if (subject === undefined) return [];
    const verdict = judgePair(subject, pair.model, nowMs, policy);
    switch (verdict.kind) {
      case "ask": {
        const order = orders.open(pair, verdict.ask);
        if (order !== undefined) return [order];
        plan.postpone(pair, nowMs, nowMs);
        return [];
      }
      case "wait":
        plan.postpone(pair, verdict.untilMs, nowMs);
        return [];
      case "busy":
        plan.postpone(pair, nowMs, nowMs);
        return [];
      case "key-out":
        plan.postpone(pair, Number.POSITIVE_INFINITY, nowMs);
        plan.watch(pair.keyId, nowMs);
        return [];
      case "leave":
        plan.postpone(pair, Number.POSITIVE_INFINITY, nowMs);
        // A sibling, or a request, brought it back: its models have waited for that.
        if (pair.model === KEY_ITSELF && subject.isEnabled) plan.wake(pair.keyId, nowMs);
        return [];
    }
  }

  async #run(orders: readonly TestOrder[]): Promise<void> {
    const { config, now, log } = this.#options;
    this.#running += 1;
    try {
      const ends = await this.#options.orders.run(
        orders,
        Math.max(1, Math.floor(config.concurrency / this.#threads)),
      );
      this.#brokenBatches = ends === undefined ? this.#brokenBatches + 1 : 0;
      if (ends === undefined) this.#pausedUntilMs = now() + BROKEN_PAUSE_MS;
    } catch (error) {
      log.error(
        { why: error instanceof Error ? error.name : "unknown" },
        "the outcomes of tests could not be applied",
      );
    } finally {
      this.#running -= 1;
      this.#claimTrials();
    }
  }

  /** Requests try what is out of service only while tests cannot. */
  #claimTrials(): void {
    const { policy, scheduler, plan } = this.#options;
    const canTest = policy !== "off" && plan.models.length > 0;
    scheduler.tests.areOnlyTrials = canTest && this.#brokenBatches < BROKEN_AFTER;
  }
}
