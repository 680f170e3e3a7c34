import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextPacificMidnightMs } from "./pacific-midnight.ts";

const HOUR_MS = 3_600_000;

function next(iso: string): string {
  return new Date(nextPacificMidnightMs(Date.parse(iso))).toISOString();
}

describe("nextPacificMidnightMs", () => {
  it.each([
    ["in winter", "2026-11-23T12:00:00Z", "2026-11-24T08:00:00.000Z"],
    ["in summer", "2026-07-01T12:00:00Z", "2026-07-02T07:00:00.000Z"],
    ["a millisecond before", "2026-11-24T07:59:59.999Z", "2026-11-24T08:00:00.000Z"],
    ["at midnight, the one after", "2026-11-24T08:00:00Z", "2026-11-25T08:00:00.000Z"],
    ["over the end of the year", "2026-12-31T20:00:00Z", "2027-01-01T08:00:00.000Z"],
    ["into a leap day", "2028-02-29T07:00:00Z", "2028-02-29T08:00:00.000Z"],
    // 8 March 2026: 2 a.m. becomes 3 a.m.
    ["before spring forward", "2026-03-08T08:30:00Z", "2026-03-09T07:00:00.000Z"],
    ["after spring forward", "2026-03-08T11:00:00Z", "2026-03-09T07:00:00.000Z"],
    ["the evening before spring forward", "2026-03-08T07:59:00Z", "2026-03-08T08:00:00.000Z"],
    // 1 November 2026: 2 a.m. becomes 1 a.m.
    ["before fall back", "2026-11-01T07:30:00Z", "2026-11-02T08:00:00.000Z"],
    ["in the hour that comes twice", "2026-11-01T09:30:00Z", "2026-11-02T08:00:00.000Z"],
    ["the evening before fall back", "2026-11-01T06:59:00Z", "2026-11-01T07:00:00.000Z"],
    // 14 March and 7 November 2027.
    ["spring 2027", "2027-03-14T09:59:59Z", "2027-03-15T07:00:00.000Z"],
    ["fall 2027", "2027-11-07T08:59:59Z", "2027-11-08T08:00:00.000Z"],
  ])("%s", (_, now, midnight) => {
    expect(next(now)).toBe(midnight);
  });

  it("is after now, at most 25 hours, and midnight on a Pacific clock", () => {
    const clock = new Intl.DateTimeFormat("en-GB", { timeZone: "America/Los_Angeles", timeStyle: "medium" });
    const moment = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2060, 0, 1) });
    fc.assert(
      fc.property(moment, (nowMs) => {
        const midnightMs = nextPacificMidnightMs(nowMs);
        expect(midnightMs).toBeGreaterThan(nowMs);
        expect(midnightMs - nowMs).toBeLessThanOrEqual(25 * HOUR_MS);
        expect(clock.format(midnightMs)).toBe("00:00:00");
        expect(midnightMs % 1000).toBe(0);
        // None lies between: every moment until then has the same next one.
        expect(nextPacificMidnightMs(midnightMs - 1)).toBe(midnightMs);
      }),
    );
  });

  it("refuses what is no moment", () => {
    expect(() => nextPacificMidnightMs(Number.NaN)).toThrow(RangeError);
  });
});
