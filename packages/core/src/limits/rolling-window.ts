/**
 * Counts over the last minute, hour or day, in a fixed number of cells: one count per slice of time, the oldest slice
 * forgotten as a whole. Pure arithmetic on cells that somebody else owns (memory shared by all worker threads), so it
 * takes no lock and allocates nothing: the caller holds the cells while a function runs.
 */

export interface WindowShape {
  /** Length of a slice, milliseconds. */
  readonly bucketMs: number;
  readonly buckets: number;
}

/**
 * One slice more than the span holds: what was counted stays for the whole span and for less than one slice longer, so
 * that no stretch of that length ever sees more than the limit.
 */
export const MINUTE_WINDOW: WindowShape = { bucketMs: 1_000, buckets: 61 };
export const HOUR_WINDOW: WindowShape = { bucketMs: 60_000, buckets: 61 };
export const DAY_WINDOW: WindowShape = { bucketMs: 3_600_000, buckets: 25 };

/** Counts stop here instead of beginning again at 0. */
const COUNT_MAX = 0xff_ff_ff_ff;

/** Cells a window takes: the number of its latest slice, then a count per slice. All zero is an empty window. */
export function windowCells({ buckets }: WindowShape): number {
  return buckets + 1;
}

/**
 * Adds `amount` (a whole number, not negative) to the present slice.
 * @param nowMs milliseconds of a steady clock, not negative; should it go back, time stands still here.
 */
export function addToWindow(
  cells: Uint32Array,
  at: number,
  shape: WindowShape,
  nowMs: number,
  amount: number,
): void {
  const cell = cellOf(at, shape, moveOn(cells, at, shape, nowMs));
  cells[cell] = Math.min((cells[cell] ?? 0) + amount, COUNT_MAX);
}

/** What was counted within the span up to now. */
export function windowTotal(cells: Uint32Array, at: number, shape: WindowShape, nowMs: number): number {
  moveOn(cells, at, shape, nowMs);
  let total = 0;
  for (let cell = at + 1; cell <= at + shape.buckets; cell += 1) total += cells[cell] ?? 0;
  return total;
}

/** Milliseconds until the total falls below `limit` (at least 1) if nothing more is counted; 0 when it is below. */
export function windowFreeInMs(
  cells: Uint32Array,
  at: number,
  shape: WindowShape,
  nowMs: number,
  limit: number,
): number {
  let total = windowTotal(cells, at, shape, nowMs);
  const latest = cells[at] ?? 0;
  for (let bucket = latest - shape.buckets + 1; bucket <= latest; bucket += 1) {
    if (total < limit) break;
    total -= bucket < 0 ? 0 : (cells[cellOf(at, shape, bucket)] ?? 0);
    if (total < limit) return Math.max(1, (bucket + shape.buckets) * shape.bucketMs - nowMs);
  }
  return 0;
}

/** Forgets the slices that have left the span; returns the number of the present one. */
function moveOn(cells: Uint32Array, at: number, shape: WindowShape, nowMs: number): number {
  const latest = cells[at] ?? 0;
  const present = Math.floor(nowMs / shape.bucketMs);
  if (present <= latest) return latest;
  const first = Math.max(latest + 1, present - shape.buckets + 1);
  for (let bucket = first; bucket <= present; bucket += 1) cells[cellOf(at, shape, bucket)] = 0;
  cells[at] = present;
  return present;
}

function cellOf(at: number, { buckets }: WindowShape, bucket: number): number {
  return at + 1 + (bucket % buckets);
}
