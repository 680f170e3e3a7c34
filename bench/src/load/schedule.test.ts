import { describe, expect, test } from "vitest";
import { Schedule } from "./schedule.ts";

/** What leaves at each of these moments. */
function taken(schedule: Schedule, moments: readonly number[]): number[] {
  return moments.map((atMs) => schedule.take(atMs));
}

const PER_SECOND = 1000;

describe("requests of a steady load", () => {
  test("leave one by one, each in its turn", () => {
    const schedule = new Schedule({ ratePerSecond: 4 * PER_SECOND, durationMs: 1 });
    expect(taken(schedule, [0.01, 0.2, 0.25, 0.4, 0.5, 0.75])).toEqual([1, 0, 1, 0, 1, 1]);
    expect(schedule.isOver).toBe(true);
  });

  test("leave seldom at a low rate, however often the clock ticks", () => {
    const schedule = new Schedule({ ratePerSecond: 200, durationMs: 20 });
    const moments = Array.from({ length: 200 }, (_, tick) => (tick + 1) / 10);
    const counts = taken(schedule, moments);
    expect(counts.filter((count) => count > 0)).toEqual([1, 1, 1, 1]);
    expect(schedule.isOver).toBe(true);
  });

  test("are late as long as the first of them is", () => {
    const schedule = new Schedule({ ratePerSecond: 4 * PER_SECOND, durationMs: 100 });
    schedule.take(0.01);
    expect(schedule.lateMs(0.2)).toBeCloseTo(-0.05);
    expect(schedule.lateMs(3)).toBeCloseTo(2.75);
  });

  test("leave half as fast again after a pause of the sender, never in a heap, and none is forgotten", () => {
    const schedule = new Schedule({ ratePerSecond: 10 * PER_SECOND, durationMs: 100 });
    schedule.take(0.1);
    // 300 are due.
    expect(schedule.take(30)).toBe(7);
    const moments = Array.from({ length: 700 }, (_, tick) => 30 + (tick + 1) / 10);
    const counts = taken(schedule, moments);
    expect(Math.max(...counts)).toBe(2);
    const firstTenMs = counts.slice(0, 100).reduce((sum, count) => sum + count, 0);
    expect(firstTenMs).toBe(150);
    expect(schedule.isOver).toBe(true);
  });

  test("are as many as the rate says, however rarely the clock ticks", () => {
    const schedule = new Schedule({ ratePerSecond: 10 * PER_SECOND, durationMs: 100 });
    let sent = 0;
    for (let atMs = 0; !schedule.isOver && atMs < 1_000; atMs += 0.5) sent += schedule.take(atMs);
    expect(sent).toBe(1_000);
  });
});
