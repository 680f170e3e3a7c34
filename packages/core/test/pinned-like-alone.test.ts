/**
 * To a bound request its project is a pool of its own: a pool of that project alone and one with many others, driven
 * through the same steps, lend it the same and tell it the same.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Denial, LeaseId, LeaseWish } from "../src/lease.ts";
import type { Outcome } from "../src/outcome.ts";
import { DEFAULT_RESTS } from "../src/rests.ts";
import type { Scheduler } from "../src/scheduler/scheduler.ts";
import {
  BILLING,
  DENIED,
  evidence,
  HOUR_MS,
  INVALID,
  keysWithoutProject,
  NOW,
  OVERLOADED,
  QUOTA_DAY,
  QUOTA_MINUTE,
  schedulerOf,
  SERVED,
  UNAVAILABLE,
} from "./scheduler-driver.ts";

/** Everything that can happen to a project of one key, in turn. */
type Step =
  | { readonly kind: "wish"; readonly tokens: number }
  | { readonly kind: "settle"; readonly outcome: Outcome; readonly which: number }
  | { readonly kind: "return"; readonly which: number }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "enable"; readonly isEnabled: boolean };

const OUTCOMES: readonly Outcome[] = [
  SERVED,
  SERVED,
  OVERLOADED,
  QUOTA_MINUTE,
  QUOTA_DAY,
  UNAVAILABLE,
  INVALID,
  DENIED,
  BILLING,
  { kind: "caller-left" },
  { kind: "network", evidence },
];

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("wish" as const), tokens: fc.nat(900) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("settle" as const),
        outcome: fc.constantFrom(...OUTCOMES),
        which: fc.nat(5),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("return" as const), which: fc.nat(5) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("wait" as const),
        ms: fc.constantFrom(1, 400, 2_000, 70_000, 2 * HOUR_MS, 25 * HOUR_MS),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("enable" as const), isEnabled: fc.boolean() }),
    },
  ),
  { maxLength: 60 },
);

/** One of the two pools, driven through the same steps. */
class Pool {
  readonly scheduler: Scheduler;
  readonly #wish: Partial<LeaseWish>;
  readonly #open: LeaseId[] = [];

  constructor(keys: number, wish: Partial<LeaseWish>, options: { concurrency: number; limit: number }) {
    const quotas = new Map([["m", { requestsPerMinute: options.limit, tokensPerMinute: 3_000 }]]);
    // An outage of the whole pool would shorten the rests of the one, and not of the other.
    const rests = { ...DEFAULT_RESTS, overloadedMaxMs: 2_000 };
    this.#wish = wish;
    this.scheduler = schedulerOf(keysWithoutProject(keys), {
      rests,
      projectConcurrencyMax: options.concurrency,
      quotas,
    });
  }

  /** The answer to a wish, as both pools must give it; undefined for other steps. */
  step(step: Step, nowMs: number): unknown {
    switch (step.kind) {
      case "wish": {
        const wish = { model: "m", uses: 1, tokens: step.tokens, ...this.#wish };
        const answer = this.scheduler.lease(1, wish, nowMs);
        if ("denial" in answer) return answer.denial;
        const [lease] = answer.leases;
        if (lease !== undefined) this.#open.push(lease.id);
        return { keyId: lease?.keyId, untilMs: lease?.untilMs, tokensMax: lease?.tokensMax };
      }
      case "settle": {
        const [leaseId] = this.#open.splice(step.which % (this.#open.length || 1), 1);
        if (leaseId !== undefined) this.scheduler.settle({ leaseId, outcome: step.outcome }, nowMs);
        return undefined;
      }
      case "return": {
        const [leaseId] = this.#open.splice(step.which % (this.#open.length || 1), 1);
        if (leaseId !== undefined) this.scheduler.giveBack({ leaseId, uses: 1 }, nowMs);
        return undefined;
      }
      case "enable":
        this.scheduler.setEnabled(1, step.isEnabled, nowMs);
        return undefined;
      case "wait":
        return undefined;
    }
  }
}

test("to a bound request its project is a pool of its own: it is lent the same, and hears the same", () => {
  const options = fc.record({ concurrency: fc.nat(3), limit: fc.constantFrom(2, 5, 1_000) });
  let lent = 0;
  let refused = 0;
  fc.assert(
    fc.property(steps, options, fc.nat(8), (plan, given, others) => {
      const alone = new Pool(1, {}, given);
      const amongOthers = new Pool(1 + others, { onlyProjectOf: 1 }, given);
      let nowMs = NOW;
      for (const step of plan) {
        if (step.kind === "wait") nowMs += step.ms;
        const expected = alone.step(step, nowMs);
        const got = amongOthers.step(step, nowMs);
        alone.scheduler.checkInvariants();
        amongOthers.scheduler.checkInvariants();
        if (isDenial(expected)) refused++;
        else if (step.kind === "wish") lent++;
        const isDisabled = alone.scheduler.keyView(1, nowMs)?.isEnabled === false;
        expect(got).toEqual(isDenial(expected) ? toldOf(expected, got as Denial, isDisabled) : expected);
      }
    }),
    { numRuns: 1_000 },
  );
  expect(lent).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(100);
});

function isDenial(answer: unknown): answer is Denial {
  return typeof answer === "object" && answer !== null && "reason" in answer;
}

/**
 * What the bound request must hear when the pool of one says `expected`: the same of what returns by itself. Of trials,
 * which the pool tells where nothing returns, it may name a later moment: the one at which this very request can try.
 */
function toldOf(expected: Denial, got: Denial, isDisabled: boolean): Denial {
  if (isDisabled) return { reason: "owner-gone", scope: "owner" };
  const { retryAtMs, ...rest } = expected;
  if (rest.usableAtMs !== undefined) return { ...expected, scope: "owner" };
  const told = { ...rest, scope: "owner" } as const;
  const gotMs = got.retryAtMs;
  const isLater = gotMs !== undefined && gotMs >= (retryAtMs ?? 0);
  if (isLater) return { ...told, retryAtMs: gotMs };
  return retryAtMs === undefined ? told : { ...told, retryAtMs };
}
