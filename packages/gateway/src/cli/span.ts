/** Lengths of time for people: coarse on purpose, because they are read at a glance. Pure. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The two largest units that matter: `45s`, `12m`, `3h 5m`, `2d 4h`. What is negative counts as none. */
export function formatSpan(spanMs: number): string {
  const rest = Math.max(0, spanMs);
  if (rest < MINUTE_MS) return `${Math.floor(rest / 1_000)}s`;
  if (rest < HOUR_MS) return `${Math.floor(rest / MINUTE_MS)}m`;
  if (rest < DAY_MS)
    return pair(Math.floor(rest / HOUR_MS), "h", Math.floor((rest % HOUR_MS) / MINUTE_MS), "m");
  return pair(Math.floor(rest / DAY_MS), "d", Math.floor((rest % DAY_MS) / HOUR_MS), "h");
}

/** How long ago a moment was; "-" for none. Both in milliseconds since the epoch. */
export function formatAgo(momentMs: number | null | undefined, nowMs: number): string {
  return momentMs === null || momentMs === undefined ? "-" : `${formatSpan(nowMs - momentMs)} ago`;
}

/** How far away a moment is; "now" when it has come, "-" for none. Both in milliseconds since the epoch. */
export function formatUntil(momentMs: number | undefined, nowMs: number): string {
  if (momentMs === undefined) return "-";
  return momentMs <= nowMs ? "now" : `in ${formatSpan(momentMs - nowMs)}`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit} ${small}${smallUnit}`;
}
