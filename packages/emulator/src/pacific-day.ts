/**
 * Days of California, at whose midnight Google's daily quota returns. Pure: the moment is passed in.
 * Written apart from the gateway's own calendar on purpose: an error in one must not hide behind the same in the other.
 */

const PACIFIC_DATE = new Intl.DateTimeFormat("en-CA", {
  timeZone: "America/Los_Angeles",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
});

/** The Pacific calendar day of a moment, milliseconds since the epoch: `2026-11-23`. Each has its own quota. */
export function pacificDay(nowMs: number): string {
  return PACIFIC_DATE.format(nowMs);
}
