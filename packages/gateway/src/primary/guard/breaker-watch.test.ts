import type { ModelHealth } from "@gemini-gateway/core/scheduler/views";
import { expect, test } from "vitest";
import type { GuardToWorker } from "../../limits/messages.ts";
import { BreakerWatch } from "./breaker-watch.ts";

const NOW_MS = 1_700_000_000_000;
const KEYS = 1_000;

class Scene {
  healthy: Record<string, number> = {};
  returnAtMs: number | undefined;
  readonly told: GuardToWorker[] = [];
  readonly watch = new BreakerWatch({
    thresholds: () => ({ low: { kind: "share", share: 0.1 }, high: { kind: "share", share: 0.3 } }),
    healths: () => this.#healths(),
    returnAtMs: () => this.returnAtMs,
    now: () => NOW_MS,
    publish: (message) => void this.told.push(message),
  });

  *#healths(): Generator<ModelHealth> {
    for (const [model, healthyKeys] of Object.entries(this.healthy)) yield { model, healthyKeys, keys: KEYS };
  }
}

test("tells nothing while nothing is refused, and one message for all models that change", () => {
  const scene = new Scene();
  scene.healthy = { a: 1_000, b: 300 };
  scene.watch.tick();
  expect(scene.told).toEqual([]);
  scene.healthy = { a: 200, b: 50, c: 900 };
  scene.watch.tick();
  scene.watch.tick();
  expect(scene.told).toEqual([
    {
      type: "breaker.changed",
      lanes: [
        { lane: "a", refusal: 0.5, retryAfterMs: 5_000 },
        { lane: "b", refusal: 1, retryAfterMs: 30_000 },
      ],
    },
  ]);
  expect(scene.watch.notices().map(({ lane }) => lane)).toEqual(["a", "b"]);
});

test("steps too small to notice are not told, the last one always", () => {
  const scene = new Scene();
  scene.healthy = { a: 200 };
  scene.watch.tick();
  scene.healthy = { a: 201 };
  scene.watch.tick();
  expect(scene.told).toHaveLength(1);
  for (const healthy of [299, 300]) {
    scene.healthy = { a: healthy };
    scene.watch.tick();
  }
  expect(scene.told.at(-1)).toEqual({
    type: "breaker.changed",
    lanes: [{ lane: "a", refusal: 0, retryAfterMs: 0 }],
  });
  expect(scene.watch.notices()).toEqual([]);
});

test("a model that the scheduler has forgotten is open again", () => {
  const scene = new Scene();
  scene.healthy = { a: 10 };
  scene.watch.tick();
  scene.healthy = {};
  scene.watch.tick();
  expect(scene.watch.notices()).toEqual([]);
});

test.each([
  [NOW_MS + 20_000, 20_000],
  [NOW_MS + 1, 5_000],
  [NOW_MS + 3_600_000, 60_000],
])("where all are refused, a key back at %d means a wait of %d ms", (returnAtMs, waitMs) => {
  const scene = new Scene();
  scene.returnAtMs = returnAtMs;
  scene.healthy = { a: 10 };
  scene.watch.tick();
  expect(scene.watch.notices()[0]?.retryAfterMs).toBe(waitMs);
});
