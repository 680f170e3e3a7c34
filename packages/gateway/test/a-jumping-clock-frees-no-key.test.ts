/** The lease office and the scheduler on a clock whose hands somebody moves: the real parts, without threads. */
import type { Lease } from "@gemini-gateway/core/lease";
import type { Evidence, Outcome } from "@gemini-gateway/core/outcome";
import { DEFAULT_SCHEDULER_OPTIONS } from "@gemini-gateway/core/scheduler/options";
import { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import { nextPacificMidnightMs } from "@gemini-gateway/gemini/pacific-midnight";
import { expect, it } from "vitest";
import { KeyRing } from "../src/primary/key-ring.ts";
import { LeaseOffice, quotaDayEndMs } from "../src/primary/lease-office.ts";
import type { RequestRow } from "../src/request-row.ts";
import { RowCollector } from "../src/row-batch.ts";
import { SteadyClock } from "../src/steady-clock.ts";

const HOUR_MS = 3_600_000;
/** 22 November 2026, 16:00 in California. */
const START_MS = Date.UTC(2026, 10, 23);
const MODEL = "gemini-2.5-flash";
const HOLDER = 1;

const evidence: Evidence = {
  httpStatus: 429,
  reason: "test",
  message: "",
  quotas: [{ quota: "requestsPerDay", limit: 1 }],
};
const NOTHING = { served: [], settlements: [], returns: [], wishes: [], rows: undefined };

class Scene {
  readonly #time = { wallMs: START_MS, monotonicMs: 0 };
  readonly clock = new SteadyClock({
    wallMs: () => this.#time.wallMs,
    monotonicMs: () => this.#time.monotonicMs,
  });
  readonly rows: RequestRow[] = [];
  readonly scheduler = new Scheduler(
    { ...DEFAULT_SCHEDULER_OPTIONS, quotaDayEndMs: (nowMs) => quotaDayEndMs(this.clock.wallLeadMs, nowMs) },
    () => 0.5,
  );
  readonly #office = new LeaseOffice({
    scheduler: this.scheduler,
    ring: new KeyRing(),
    post: () => {},
    rows: (rows) => this.rows.push(rows.row(0)),
    heard: () => {},
    siblings: { heard: () => {} },
    affinity: { bind: ({ wish }) => ({ wish, told: {} }), preferring: (wish) => wish },
    nextTestMs: () => undefined,
    clock: this.clock,
    changed: () => {},
  });

  constructor() {
    this.scheduler.addKeys([{ id: 1, project: undefined }]);
  }

  /** Lets time pass, the wall clock with it. */
  pass(ms: number): void {
    this.#time.wallMs += ms;
    this.#time.monotonicMs += ms;
    this.#office.tick();
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#time.wallMs += ms;
    this.#office.tick();
  }

  get wallMs(): number {
    return this.#time.wallMs;
  }

  lease(): Lease | undefined {
    const answer = this.scheduler.lease(HOLDER, { model: MODEL, uses: 1 }, this.clock.now());
    return "leases" in answer ? answer.leases[0] : undefined;
  }

  settle(lease: Lease | undefined, outcome: Outcome): void {
    const settlements = [{ leaseId: lease?.id ?? 0, outcome }];
    this.#office.receive(HOLDER, { type: "report.send", ...NOTHING, settlements });
  }

  report(row: Partial<RequestRow>): void {
    const collector = new RowCollector();
    collector.add(row as RequestRow);
    this.#office.receive(HOLDER, { type: "report.send", ...NOTHING, rows: collector.take() });
  }
}

const JUMPS = [HOUR_MS, -HOUR_MS, 24 * HOUR_MS, -24 * HOUR_MS];

it.each(JUMPS)("a rest of a minute lasts a minute when the wall clock jumps by %i ms", (jumpMs) => {
  const scene = new Scene();
  scene.settle(scene.lease(), {
    kind: "quota-minute",
    retryAfterMs: 30_000,
    evidence: { ...evidence, quotas: [] },
  });
  scene.jump(jumpMs);
  scene.pass(29_000);
  expect(scene.lease()).toBeUndefined();
  scene.pass(3_000);
  expect(scene.lease()).toBeDefined();
});

it.each(JUMPS)("a lease lasts as long as it should when the wall clock jumps by %i ms", (jumpMs) => {
  const scene = new Scene();
  const lease = scene.lease();
  scene.jump(jumpMs);
  expect((lease?.untilMs ?? 0) - scene.clock.now()).toBe(DEFAULT_SCHEDULER_OPTIONS.leaseTtlMs);
});

it.each(JUMPS)("an exhausted day ends at the Pacific midnight of a wall clock set by %i ms", (jumpMs) => {
  const scene = new Scene();
  scene.settle(scene.lease(), { kind: "served" });
  scene.settle(scene.lease(), {
    kind: "quota-day",
    untilMs: nextPacificMidnightMs(scene.clock.now()),
    retryAfterMs: 0,
    evidence,
  });
  scene.jump(jumpMs);
  const midnightMs = nextPacificMidnightMs(scene.wallMs);
  scene.pass(midnightMs - scene.wallMs - 1_000);
  expect(scene.lease()).toBeUndefined();
  scene.pass(2_000);
  expect(scene.lease()).toBeDefined();
});

it.each(JUMPS)("a learnt day's quota is kept to until that midnight, set by %i ms", (jumpMs) => {
  const scene = new Scene();
  const first = scene.lease();
  scene.settle(first, { kind: "request-over-quota", evidence });
  scene.settle(scene.lease(), { kind: "served" });
  expect(scene.lease()).toBeUndefined();
  scene.jump(jumpMs);
  scene.pass(nextPacificMidnightMs(scene.wallMs) - scene.wallMs - 1_000);
  expect(scene.lease()).toBeUndefined();
  scene.pass(2_000);
  expect(scene.lease()).toBeDefined();
});

it("a day refused after the jump ends by the wall clock too, whatever the worker took for the time", () => {
  const scene = new Scene();
  scene.jump(5 * HOUR_MS);
  scene.settle(scene.lease(), {
    kind: "quota-day",
    untilMs: nextPacificMidnightMs(scene.clock.now()),
    retryAfterMs: 24 * HOUR_MS,
    evidence,
  });
  const denial = scene.scheduler.denialFor(MODEL, scene.clock.now());
  expect((denial.retryAtMs ?? 0) + 5 * HOUR_MS).toBe(nextPacificMidnightMs(scene.wallMs));
});

it("requests are logged with the time that people see", () => {
  const scene = new Scene();
  scene.jump(HOUR_MS);
  scene.report({ atMs: scene.clock.now() });
  expect(scene.rows[0]?.atMs).toBe(scene.wallMs);
});
