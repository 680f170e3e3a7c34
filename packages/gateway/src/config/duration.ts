/** Lengths of time as operators write them. Pure. */

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const DURATION = /^(\d{1,15}(?:\.\d{1,9})?)(ms|s|m|h|d)?$/;

/** The written form, for a JSON Schema. */
export const DURATION_PATTERN = DURATION.source;

/**
 * Milliseconds of `500ms`, `30s`, `5m`, `12h`, `7d`, or of a plain number of seconds; undefined for anything else.
 */
export function parseDuration(raw: unknown): number | undefined {
  const match = DURATION.exec(
    typeof raw === "number" ? String(raw) : typeof raw === "string" ? raw.trim() : "",
  );
  if (match === null) return undefined;
  const unit = (match[2] ?? "s") as keyof typeof UNIT_MS;
  return Math.round(Number(match[1]) * UNIT_MS[unit]);
}

/** The shortest exact writing: 90000 → `90s`, 120000 → `2m`. `parseDuration` reads it back. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return "0s";
  const unit =
    (["d", "h", "m", "s"] as const).find((candidate) => durationMs % UNIT_MS[candidate] === 0) ?? "ms";
  return `${durationMs / UNIT_MS[unit]}${unit}`;
}
