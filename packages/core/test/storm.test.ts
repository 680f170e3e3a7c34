/**
 * What many failing keys cost, and what carrying the leases costs: primary and workers together, seeded.
 */
import { expect, test } from "vitest";
import type { KeyId } from "../src/lease.ts";
import type { Evidence, Outcome } from "../src/outcome.ts";
import { DEFAULT_SCHEDULER_OPTIONS } from "../src/scheduler/options.ts";
import { SimulatedGateway } from "./simulated-gateway.ts";

const PROJECTS = 100;
const WORKING_KEY: KeyId = 57;
const evidence: Evidence = { httpStatus: 429, reason: "GenerateRequestsPerDay", message: "" };
const SERVED: Outcome = { kind: "served" };
const EXHAUSTED: Outcome = {
  kind: "quota-day",
  untilMs: 1_700_000_000_000 + 8 * 3_600_000,
  retryAfterMs: 0,
  evidence,
};

interface Pool {
  /** Keys that answer; all others are exhausted for the day. */
  works: (keyId: KeyId) => boolean;
}

function gatewayOf(seed: number, pool: Pool, projects = PROJECTS): SimulatedGateway {
  return new SimulatedGateway({
    seed,
    options: DEFAULT_SCHEDULER_OPTIONS,
    keys: Array.from({ length: projects }, (_, index) => ({ id: index + 1, project: undefined })),
    workers: 4,
    attemptsMax: 5,
    messageMs: 1,
    upstream: (keyId, _model, random) =>
      pool.works(keyId)
        ? { outcome: SERVED, tookMs: 50 + random() * 100 }
        : { outcome: EXHAUSTED, tookMs: 20 + random() * 20 },
  });
}

/** Requests at random moments, `perSecond` on average; returns the upstream calls they took each. */
function traffic(gateway: SimulatedGateway, requests: number, perSecond: number): number {
  const callsBefore = gateway.upstreamCalls;
  let afterMs = 0;
  for (let request = 0; request < requests; request++) {
    afterMs += (gateway.random() * 2_000) / perSecond;
    gateway.events.after(afterMs, () => gateway.request("m"));
  }
  gateway.settleDown();
  return (gateway.upstreamCalls - callsBefore) / requests;
}

function withSeeds(run: (seed: number) => void): void {
  for (let seed = 1; seed <= 8; seed++) {
    try {
      run(seed);
    } catch (cause) {
      throw new Error(`seed ${seed}: ${String(cause)}`, { cause });
    }
  }
}

test("when 99 of 100 known good projects are exhausted, the pool settles under 1.1 calls a request", () => {
  withSeeds((seed) => {
    const pool: Pool = { works: () => true };
    const gateway = gatewayOf(seed, pool);
    traffic(gateway, 2_000, 100);
    expect(gateway.scheduler.summary(0).models[0]?.places.open.lanes).toBe(PROJECTS);
    pool.works = (keyId) => keyId === WORKING_KEY;
    const storm = traffic(gateway, 2_000, 100);
    const settled = traffic(gateway, 2_000, 100);
    expect(storm).toBeLessThan(1.1);
    expect(settled).toBeLessThan(1.001);
  });
});

test("a fresh pool of 100 with 99 exhausted finds the one that works, and settles under 1.1 calls a request", () => {
  withSeeds((seed) => {
    const gateway = gatewayOf(seed, { works: (keyId) => keyId === WORKING_KEY });
    expect(traffic(gateway, 2_000, 100)).toBeLessThan(1.1);
    expect(gateway.ends.served).toBeGreaterThan(1_950);
    expect(traffic(gateway, 2_000, 100)).toBeLessThan(1.01);
  });
});

test("in a pool too large to settle soon, a storm costs a share of the requests and not a retry for each", () => {
  withSeeds((seed) => {
    const pool: Pool = { works: () => true };
    const gateway = gatewayOf(seed, pool, 1_000);
    traffic(gateway, 5_000, 500);
    pool.works = (keyId) => keyId % 10 === 0;
    expect(traffic(gateway, 4_000, 100)).toBeLessThan(1.1);
  });
});

test("at load there are at most 0.2 messages for each request, all of them counted", () => {
  withSeeds((seed) => {
    const gateway = gatewayOf(seed, { works: () => true });
    traffic(gateway, 500, 1_000);
    const before = gateway.messages;
    traffic(gateway, 10_000, 2_000);
    expect((gateway.messages - before) / 10_000).toBeLessThan(0.2);
    expect(gateway.ends.served).toBe(gateway.requests);
  });
});

test("at low load keys are not held idle: nine in ten uses lent are used", () => {
  const gateway = gatewayOf(1, { works: () => true });
  traffic(gateway, 300, 2);
  const { lent, returned } = gateway.scheduler.summary(0).uses;
  expect(returned / lent).toBeLessThan(0.1);
});

test("load spreads evenly over projects through the pockets of all workers", () => {
  const calls = new Map<KeyId, number>();
  const gateway = gatewayOf(1, {
    works: (keyId) => {
      calls.set(keyId, (calls.get(keyId) ?? 0) + 1);
      return true;
    },
  });
  traffic(gateway, 1_000, 500);
  calls.clear();
  traffic(gateway, 10_000, 500);
  const counts = [...calls.values()];
  expect(counts.length).toBe(PROJECTS);
  expect(Math.min(...counts)).toBeGreaterThan(80);
  expect(Math.max(...counts)).toBeLessThan(120);
});
