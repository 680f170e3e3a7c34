/** Amounts of data as operators write them. Pure. */

const UNIT_BYTES = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 } as const;

const SIZE = /^(\d{1,15}(?:\.\d{1,9})?)(?:([KMG])i?)?B?$/i;

/** The written form, for a JSON Schema (which knows no flags, so both cases are spelt out). */
export const SIZE_PATTERN = "^\\d{1,15}(?:\\.\\d{1,9})?(?:[KMGkmg][Ii]?)?[Bb]?$";

/**
 * Bytes of `64KB`, `1.5MB`, `2GB`, or of a plain number of bytes; undefined for anything else. 1 KB is 1024 bytes, as
 * is 1 KiB.
 */
export function parseSize(raw: unknown): number | undefined {
  const match = SIZE.exec(typeof raw === "number" ? String(raw) : typeof raw === "string" ? raw.trim() : "");
  if (match === null) return undefined;
  const unit = (match[2] ?? "b").toLowerCase() as keyof typeof UNIT_BYTES;
  return Math.round(Number(match[1]) * UNIT_BYTES[unit]);
}

/** The shortest exact writing: 65536 → `64KB`. `parseSize` reads it back. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return "0B";
  const unit = (["g", "m", "k"] as const).find((candidate) => bytes % UNIT_BYTES[candidate] === 0);
  return unit === undefined ? `${bytes}B` : `${bytes / UNIT_BYTES[unit]}${unit.toUpperCase()}B`;
}
