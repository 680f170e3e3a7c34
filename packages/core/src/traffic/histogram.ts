/**
 * How long things took, counted in fixed buckets: a few hundred bytes for any number of values, and sums of several
 * are exact. Pure; the primary keeps them.
 */

/** Buckets per doubling: a quantile from 1 ms on is at most 19 % (2^(1/4)) from the true value, a lesser one at most 1 ms. */
const BUCKETS_PER_DOUBLING = 4;
/** From 1 ms to 2^22 ms, 70 minutes; what takes longer counts into the last bucket. */
const BUCKETS = 22 * BUCKETS_PER_DOUBLING + 1;

export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #maxMs = 0;

  /** How many values were recorded. */
  get count(): number {
    return this.#count;
  }

  /** Takes one value, milliseconds; what is negative counts as none, not-a-number is ignored. */
  record(valueMs: number): void {
    if (Number.isNaN(valueMs)) return;
    const bucket = bucketOf(valueMs);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, valueMs);
  }

  /** Takes all values of another one. */
  add(other: Histogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + (other.#counts[bucket] ?? 0);
    }
    this.#count += other.#count;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  /**
   * The value, milliseconds, that the share `q` (0 to 1) of all values does not exceed; undefined when there are none.
   * Spread evenly within its bucket, and never more than the largest value.
   */
  quantileMs(q: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.max(1, Math.ceil(q * this.#count));
    let below = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const inBucket = this.#counts[bucket] ?? 0;
      if (below + inBucket >= rank) {
        const lowerMs = bucket === 0 ? 0 : boundMs(bucket - 1);
        const valueMs = lowerMs + ((boundMs(bucket) - lowerMs) * (rank - below)) / inBucket;
        return Math.min(valueMs, this.#maxMs);
      }
      below += inBucket;
    }
    return this.#maxMs;
  }
}

/** Upper bound of a bucket, milliseconds; it belongs to the bucket, but for the first one's: 1 ms is in the second. */
function boundMs(bucket: number): number {
  return 2 ** (bucket / BUCKETS_PER_DOUBLING);
}

function bucketOf(valueMs: number): number {
  if (valueMs < 1) return 0;
  return Math.min(BUCKETS - 1, Math.max(1, Math.ceil(Math.log2(valueMs) * BUCKETS_PER_DOUBLING)));
}
