/**
 * Pacing as a whole: primary, workers and an upstream that meters, seeded. Once limits are learnt, fewer than one call in
 * a hundred is refused, and at least 95 % of what is allowed can still be used; whatever the quota's shape, and however
 * the upstream counts its minutes.
 */
import { expect, test } from "vitest";
import type { QuotaLimits } from "../src/quota/quota-limits.ts";
import { DEFAULT_SCHEDULER_OPTIONS } from "../src/scheduler/options.ts";
import { MeteredUpstream } from "./metered-upstream.ts";
import type { Metering } from "./metered-upstream.ts";
import { SimulatedGateway } from "./simulated-gateway.ts";

const PROJECTS = 3;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const MODEL = "m";

interface Scene {
  readonly gateway: SimulatedGateway;
  readonly upstream: MeteredUpstream;
}

function sceneOf(
  seed: number,
  metering: Metering,
  projects = PROJECTS,
  longestMs = 4_000,
  isTold = false,
): Scene {
  const upstream = new MeteredUpstream(metering);
  const gateway = new SimulatedGateway({
    seed,
    options: { ...DEFAULT_SCHEDULER_OPTIONS, quotas: new Map(isTold ? [[MODEL, metering.limits]] : []) },
    keys: Array.from({ length: projects }, (_, index) => ({ id: index + 1, project: undefined })),
    workers: 3,
    attemptsMax: 5,
    messageMs: 2,
    arrivalMs: 150,
    upstream: (keyId, _model, random, { nowMs, bytes }) => {
      // A token is three to five bytes, as the text has it.
      const promptTokens = Math.ceil(bytes / (3 + 2 * random()));
      const outcome = upstream.call(keyId, promptTokens, nowMs);
      if (outcome.kind !== "served") return { outcome, tookMs: 50 };
      return { outcome, tookMs: 300 + random() * longestMs, promptTokens };
    },
  });
  return { gateway, upstream };
}

/** Requests at random moments for so long; sizes are drawn by `bytesOf`. */
function traffic(
  { gateway }: Scene,
  perMinute: number,
  durationMs: number,
  bytesOf: (random: () => number) => number = () => 400,
): void {
  const untilMs = gateway.events.nowMs + durationMs;
  const next = (): void => {
    const inMs = (gateway.random() * 2 * MINUTE_MS) / perMinute;
    if (gateway.events.nowMs + inMs >= untilMs) return;
    gateway.events.after(inMs, () => {
      gateway.request(MODEL, bytesOf(gateway.random));
      next();
    });
  };
  next();
  gateway.settleDown();
}

function refusedShare({ upstream }: Scene): number {
  return upstream.refused / (upstream.refused + upstream.served);
}

const METERINGS = ["clock", "rolling"] as const;

function meteringOf(limits: QuotaLimits, minute: Metering["minute"]): Metering {
  return { limits, minute };
}

test.each(METERINGS)("10 requests a minute, counted by %s minutes", (minute) => {
  for (let seed = 1; seed <= 3; seed++) {
    const scene = sceneOf(seed, meteringOf({ requestsPerMinute: 10 }, minute));
    traffic(scene, 60, 3 * MINUTE_MS);
    scene.upstream.resetCounts();
    const minutes = 30;
    traffic(scene, 60, minutes * MINUTE_MS);
    expect(refusedShare(scene), `seed ${seed}`).toBeLessThan(0.01);
    expect(scene.upstream.served / (10 * PROJECTS * minutes), `seed ${seed}`).toBeGreaterThan(0.95);
  }
});

test.each(METERINGS)(
  "250,000 tokens a minute in requests of mixed sizes, counted by %s minutes",
  (minute) => {
    for (let seed = 1; seed <= 3; seed++) {
      const scene = sceneOf(seed, meteringOf({ tokensPerMinute: 250_000 }, minute));
      // Most are small, some are large: 5,000 tokens on average and up to some 27,000. Almost three times what is
      // allowed is asked for, since the large ones must leave room that only small ones fill.
      const bytesOf = (random: () => number): number => 400 + 80_000 * random() ** 3;
      traffic(scene, 400, 3 * MINUTE_MS, bytesOf);
      scene.upstream.resetCounts();
      const minutes = 30;
      traffic(scene, 400, minutes * MINUTE_MS, bytesOf);
      expect(refusedShare(scene), `seed ${seed}`).toBeLessThan(0.01);
      expect(scene.upstream.servedTokens / (250_000 * PROJECTS * minutes), `seed ${seed}`).toBeGreaterThan(
        0.95,
      );
    }
  },
);

test.each(METERINGS)("100 requests a day and 15 a minute, counted by %s minutes", (minute) => {
  const scene = sceneOf(1, meteringOf({ requestsPerDay: 100, requestsPerMinute: 15 }, minute));
  traffic(scene, 2, DAY_MS);
  scene.upstream.resetCounts();
  const days = 3;
  traffic(scene, 2, days * DAY_MS);
  expect(refusedShare(scene)).toBeLessThan(0.01);
  expect(scene.upstream.served / (100 * PROJECTS * days)).toBeGreaterThan(0.95);
});

test("answers that take longer than a minute do not hold back the next minute's requests", () => {
  const scene = sceneOf(1, meteringOf({ requestsPerMinute: 10 }, "rolling"), PROJECTS, 200_000);
  traffic(scene, 60, 5 * MINUTE_MS);
  scene.upstream.resetCounts();
  const minutes = 30;
  traffic(scene, 60, minutes * MINUTE_MS);
  expect(refusedShare(scene)).toBeLessThan(0.01);
  expect(scene.upstream.served / (10 * PROJECTS * minutes)).toBeGreaterThan(0.95);
});

test("at load, quotas or not, there are at most 0.2 messages for each request", () => {
  const scene = sceneOf(1, meteringOf({ requestsPerMinute: 1_000 }, "rolling"), 60, 200, true);
  // As many as there are in a minute, so that most lanes have used more than half of theirs.
  traffic(scene, 48_000, MINUTE_MS / 3);
  const [messagesBefore, requestsBefore] = [scene.gateway.messages, scene.gateway.requests];
  traffic(scene, 48_000, MINUTE_MS / 3);
  const requests = scene.gateway.requests - requestsBefore;
  expect((scene.gateway.messages - messagesBefore) / requests).toBeLessThan(0.2);
  expect(scene.upstream.refused).toBe(0);
});

test("limits that are configured are kept from the first request on", () => {
  const limits = { requestsPerMinute: 10, tokensPerMinute: 20_000 };
  const scene = sceneOf(1, meteringOf(limits, "clock"), PROJECTS, 4_000, true);
  traffic(scene, 60, 10 * MINUTE_MS);
  expect(scene.upstream.refused).toBe(0);
  expect(scene.upstream.served).toBeGreaterThan(10 * PROJECTS * 9);
});
