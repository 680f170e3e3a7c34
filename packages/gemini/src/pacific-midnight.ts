/**
 * When Google's daily quotas return: at midnight in California, where the clock changes twice a year.
 * Runs on the HTTP workers and the primary. Pure: the moment comes in.
 */

/** Building one costs far more than using it, so it is built once; it never changes. */
const PACIFIC_CLOCK = new Intl.DateTimeFormat("en-US", {
  timeZone: "America/Los_Angeles",
  hourCycle: "h23",
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "numeric",
  minute: "numeric",
  second: "numeric",
});

interface WallClock {
  readonly year: number;
  /** 1..12. */
  readonly month: number;
  readonly day: number;
  /** The wall clock's reading as if it were UTC, milliseconds, whole seconds. */
  readonly asUtcMs: number;
}

function wallClockAt(ms: number): WallClock {
  const read = new Map(PACIFIC_CLOCK.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => read.get(type) ?? 0;
  const [year, month, day] = [part("year"), part("month"), part("day")];
  const asUtcMs = Date.UTC(year, month - 1, day, part("hour"), part("minute"), part("second"));
  return { year, month, day, asUtcMs };
}

/** How far the Pacific clock is from UTC at a moment; negative. */
function offsetMs(ms: number): number {
  return wallClockAt(ms).asUtcMs - Math.floor(ms / 1000) * 1000;
}

/**
 * The first Pacific midnight after `nowMs`, 23 to 25 hours away at most; both in milliseconds since the epoch.
 * @throws RangeError when `nowMs` is no moment (NaN, infinite).
 */
export function nextPacificMidnightMs(nowMs: number): number {
  const { year, month, day } = wallClockAt(nowMs);
  const midnightAsUtcMs = Date.UTC(year, month - 1, day + 1);
  const guessMs = midnightAsUtcMs - offsetMs(nowMs);
  // If the clock changes until then, the guess is an hour off; but it changes at 2 a.m., so that an hour to either side
  // of midnight the offset is midnight's own.
  return midnightAsUtcMs - offsetMs(guessMs);
}
