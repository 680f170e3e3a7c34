/** Times of requests for people, in few characters: `310ms`, `1.2s`, `2.5m`. Pure. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** "-" for none. */
export function shortTime(timeMs: number | null): string {
  if (timeMs === null) return "-";
  if (timeMs < SECOND_MS) return `${Math.round(timeMs)}ms`;
  return timeMs < MINUTE_MS ? `${(timeMs / SECOND_MS).toFixed(1)}s` : `${(timeMs / MINUTE_MS).toFixed(1)}m`;
}
