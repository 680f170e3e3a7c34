import { describe, expect, it, vi } from "vitest";
import { TICK_MS, TimerWheel } from "./timer-wheel.ts";

/** A wheel on a faked clock, and what it woke, in order and when. */
function wheelWithClock() {
  vi.useFakeTimers({ now: 0, toFake: ["setInterval", "clearInterval", "performance"] });
  const woken: (readonly [string, number])[] = [];
  const monotonicMs = (): number => performance.now();
  const wheel = new TimerWheel(monotonicMs);
  const sleeper = (name: string) => ({ wake: () => void woken.push([name, monotonicMs()]) });
  return { wheel, woken, sleeper, nowMs: monotonicMs };
}

describe("the timer wheel", () => {
  it("wakes at or just after the moment, and stops its timer when nobody waits", () => {
    const { wheel, woken, sleeper, nowMs } = wheelWithClock();
    try {
      for (const dueMs of [12, 3, 7000, 20_001]) wheel.schedule(sleeper(String(dueMs)), nowMs() + dueMs);
      vi.advanceTimersByTime(30_000);
      expect(woken.map(([name]) => name)).toEqual(["3", "12", "7000", "20001"]);
      for (const [name, atMs] of woken) {
        expect(atMs).toBeGreaterThanOrEqual(Number(name));
        expect(atMs).toBeLessThan(Number(name) + 2 * TICK_MS);
      }
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("uses one timer for many sleepers, and none once disposed", () => {
    const { wheel, sleeper, nowMs } = wheelWithClock();
    try {
      for (let index = 0; index < 5000; index += 1) wheel.schedule(sleeper("x"), nowMs() + index);
      expect(vi.getTimerCount()).toBe(1);
      wheel[Symbol.dispose]();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
