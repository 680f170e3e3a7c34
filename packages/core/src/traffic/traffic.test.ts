import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EndedRequest } from "./tally.ts";
import { MODELS_MAX, NO_MODEL, OTHER_MODELS, RECENT_MS, sumOf, Traffic } from "./traffic.ts";

const START_MS = 1_700_000_000_000;
const MINUTE_MS = 60_000;

function ended(over: Partial<EndedRequest> = {}): EndedRequest {
  const base = { model: "flash", outcome: "served", attempts: 1, firstByteMs: 10, durationMs: 20 };
  return { ...base, promptTokens: 1, outputTokens: 2, ...over };
}

describe("counts", () => {
  test("requests, outcomes, retries and tokens are added up by model", () => {
    const traffic = new Traffic();
    traffic.record(ended({ attempts: 3 }), START_MS);
    traffic.record(ended({ outcome: "denied", attempts: 0 }), START_MS);
    const flash = traffic.sinceStart.get("flash");
    expect(flash).toMatchObject({ requests: 2, attempts: 3, retries: 2, promptTokens: 2, outputTokens: 4 });
    expect(Object.fromEntries(flash?.byOutcome ?? [])).toEqual({ served: 1, denied: 1 });
  });

  test("the success rate leaves out what callers spoilt or left", () => {
    const traffic = new Traffic();
    for (const outcome of [
      "served",
      "served",
      "served",
      "overloaded",
      "caller-fault",
      "caller-left",
      "refused",
    ])
      traffic.record(ended({ outcome }), START_MS);
    expect(sumOf(traffic.sinceStart).successRate).toBe(0.75);
    expect(sumOf(new Map()).successRate).toBeUndefined();
  });

  test("only answered requests are timed", () => {
    const traffic = new Traffic();
    traffic.record(ended({ outcome: "refused", durationMs: 1 }), START_MS);
    traffic.record(ended({ durationMs: 500, firstByteMs: -1 }), START_MS);
    const recent = sumOf(traffic.recent(START_MS));
    expect(recent.duration.count).toBe(1);
    expect(recent.firstByte.count).toBe(0);
  });

  test("a request without a model has a name all the same", () => {
    const traffic = new Traffic();
    traffic.record(ended({ model: "" }), START_MS);
    expect([...traffic.recent(START_MS).keys()]).toEqual([NO_MODEL]);
    expect([...traffic.sinceStart.keys()]).toEqual([NO_MODEL]);
  });
});

describe("the window", () => {
  test("holds what ended in the last half hour, to the minute", () => {
    const traffic = new Traffic();
    traffic.record(ended(), START_MS);
    expect(sumOf(traffic.recent(START_MS + RECENT_MS - MINUTE_MS)).requests).toBe(1);
    expect(sumOf(traffic.recent(START_MS + RECENT_MS + MINUTE_MS)).requests).toBe(0);
    expect(sumOf(traffic.sinceStart).requests).toBe(1);
  });

  test("counts what a window over all requests would, and never more than was sent", () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 5 * MINUTE_MS }), { maxLength: 200 });
    fc.assert(
      fc.property(gaps, (gapsMs) => {
        const traffic = new Traffic();
        const times: number[] = [];
        let nowMs = START_MS;
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          times.push(nowMs);
          traffic.record(ended(), nowMs);
        }
        const counted = sumOf(traffic.recent(nowMs)).requests;
        const within = (spanMs: number): number => times.filter((timeMs) => timeMs > nowMs - spanMs).length;
        expect(counted).toBeGreaterThanOrEqual(within(RECENT_MS - MINUTE_MS));
        expect(counted).toBeLessThanOrEqual(within(RECENT_MS + MINUTE_MS));
      }),
    );
  });

  test("a clock that goes back loses nothing", () => {
    const traffic = new Traffic();
    traffic.record(ended(), START_MS);
    traffic.record(ended(), START_MS - 10 * MINUTE_MS);
    expect(sumOf(traffic.recent(START_MS)).requests).toBe(2);
  });
});

describe("bounds", () => {
  test("made-up names are counted together and never push out a model that serves", () => {
    const traffic = new Traffic();
    for (let name = 0; name < 1_000; name += 1)
      traffic.record(ended({ model: `made-up-${name}`, outcome: "caller-fault" }), START_MS);
    traffic.record(ended({ model: "real" }), START_MS);
    expect([...traffic.sinceStart.keys()]).toEqual([OTHER_MODELS, "real"]);
    const recent = traffic.recent(START_MS);
    expect(recent.get("real")?.requests).toBe(1);
    expect(recent.size).toBeLessThan(50);
    expect(sumOf(recent).requests).toBe(1_001);
  });

  test("models beyond the bound are counted together", () => {
    const traffic = new Traffic();
    for (let name = 0; name < 2 * MODELS_MAX; name += 1)
      traffic.record(ended({ model: `model-${name}` }), START_MS);
    expect(traffic.sinceStart.size).toBe(MODELS_MAX + 1);
    expect(traffic.sinceStart.get(OTHER_MODELS)?.requests).toBe(MODELS_MAX);
  });

  test("the busiest models come first", () => {
    const traffic = new Traffic();
    traffic.record(ended({ model: "quiet" }), START_MS);
    for (let n = 0; n < 3; n += 1) traffic.record(ended({ model: "busy" }), START_MS);
    expect([...traffic.recent(START_MS).keys()]).toEqual(["busy", "quiet"]);
  });
});
