/**
 * Primary and workers together, seeded: whatever order messages arrive in, whoever dies and whatever the upstream says,
 * no key is lent beyond its limits, no lease is lost or doubled, and every request ends. A failure names its seed.
 */
import { expect, test } from "vitest";
import type { KeyId } from "../src/lease.ts";
import type { Evidence, Outcome } from "../src/outcome.ts";
import type { QuotaLimits } from "../src/quota/quota-limits.ts";
import { DEFAULT_SCHEDULER_OPTIONS } from "../src/scheduler/options.ts";
import { SimulatedGateway } from "./simulated-gateway.ts";
import type { Pin, World } from "./simulated-world.ts";

const SEEDS = 60;
const evidence: Evidence = { httpStatus: 429, reason: "simulated", message: "" };
/** A refusal that tells of its quotas: from then on the lane is paced. */
const telling: Evidence = {
  ...evidence,
  quotas: [
    { quota: "requestsPerMinute", limit: 60 },
    { quota: "tokensPerMinute", limit: 40_000 },
  ],
};
const SERVED: Outcome = { kind: "served" };

/** Mostly good answers, and every other kind now and then. */
function anyOutcome(random: () => number): Outcome {
  if (random() < 0.85) return SERVED;
  const outcomes: Outcome[] = [
    { kind: "caller-fault", evidence },
    { kind: "caller-left" },
    { kind: "key-dead", reason: "invalid", evidence },
    { kind: "key-dead", reason: "suspended", evidence },
    { kind: "key-misconfigured", reason: "service-disabled", evidence },
    { kind: "billing", evidence },
    { kind: "quota-minute", retryAfterMs: random() * 5_000, evidence },
    { kind: "quota-minute", retryAfterMs: random() * 5_000, evidence: telling },
    { kind: "quota-day", untilMs: 1_700_000_000_000 + random() * 60_000, retryAfterMs: 0, evidence },
    { kind: "model-unavailable", evidence },
    { kind: "request-over-quota", evidence },
    { kind: "foreign-resource", evidence },
    { kind: "overloaded", evidence },
    { kind: "empty", evidence },
    { kind: "broken", evidence },
    { kind: "network", evidence },
    { kind: "location", evidence },
  ];
  return outcomes[Math.floor(random() * outcomes.length)] as Outcome;
}

/** What the operator knows, in turn of the seeds. */
const QUOTAS: readonly ReadonlyMap<string, QuotaLimits>[] = [
  new Map(),
  new Map([["*", { requestsPerMinute: 30 }]]),
  new Map([["model-1", { tokensPerMinute: 20_000, requestsPerDay: 100 }]]),
];

function worldOf(seed: number): World {
  const keys = Array.from({ length: 5 + (seed % 20) }, (_, index) => ({
    id: index + 1,
    project: index % 3 === 0 ? undefined : `project-${index % 5}`,
  }));
  const rests = {
    ...DEFAULT_SCHEDULER_OPTIONS.rests,
    billingMs: 5_000,
    keyDeadMs: 4_000,
    keyMisconfiguredMs: 3_000,
    modelUnavailableMs: 3_000,
    quotaDayTrialMs: 2_000,
  };
  return {
    seed,
    options: {
      rests,
      projectConcurrencyMax: seed % 4,
      leaseTtlMs: 1_000,
      quotas: QUOTAS[seed % QUOTAS.length] ?? new Map(),
    },
    keys,
    workers: 1 + (seed % 4),
    attemptsMax: 4,
    messageMs: 20,
    upstream: (_keyId, _model, random) => ({
      outcome: anyOutcome(random),
      tookMs: 5 + random() * 400,
      promptTokens: Math.ceil(random() * 2_000),
    }),
  };
}

/** One request in five is bound to a project, one in five prefers one; some of keys that there are no longer, or never were. */
function anyPin(random: () => number, keys: number): Pin {
  const [chance, key] = [random(), 1 + Math.floor(random() * (keys + 1))];
  if (chance < 0.2) return { onlyProjectOf: key };
  return chance < 0.4 ? { preferProjectOf: key } : {};
}

/** Half a minute of traffic with everything that can go wrong. */
function runTroubled(seed: number): SimulatedGateway {
  const world = worldOf(seed);
  const gateway = new SimulatedGateway(world);
  const { random, events } = gateway;
  let nextKey: KeyId = 1_000;
  for (let atMs = 0; atMs < 30_000; atMs += 1 + random() * 60) {
    const chance = random();
    const model = `model-${Math.floor(random() * 3)}`;
    if (chance < 0.005) events.at(atMs, () => gateway.killWorker());
    else if (chance < 0.01)
      events.at(atMs, () => gateway.retireKey(1 + Math.floor(random() * world.keys.length)));
    else if (chance < 0.015) {
      const id = nextKey++;
      gateway.audit.addKey(id, undefined);
      events.at(atMs, () => gateway.scheduler.addKeys([{ id, project: undefined }]));
    } else if (chance < 0.05) {
      const id = 1 + Math.floor(random() * world.keys.length);
      events.at(atMs, () => gateway.testKey(id, model));
    } else if (chance < 0.055) events.at(atMs, () => (gateway.clockOffsetMs += (random() - 0.5) * 20_000));
    else {
      const bytes = Math.ceil(random() * 6_000);
      const pin = anyPin(random, world.keys.length);
      events.at(atMs, () => gateway.request(model, bytes, pin));
    }
  }
  gateway.settleDown();
  return gateway;
}

test(`through deaths, delays, clock steps and every outcome, the books of ${SEEDS} seeds balance`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      const { ends, requests } = runTroubled(seed);
      expect(ends.served, "some requests are served").toBeGreaterThan(requests / 10);
    } catch (cause) {
      throw new Error(`seed ${seed}: ${String(cause)}`, { cause });
    }
  }
});

test("the same seed gives the same run", () => {
  const [first, second] = [runTroubled(7), runTroubled(7)];
  expect(second.ends).toEqual(first.ends);
  expect(second.messages).toBe(first.messages);
  expect(second.scheduler.summary(0)).toEqual(first.scheduler.summary(0));
});
