/** Figures from rounds: median, spread, quantiles, ratios. Pure. */

/** One figure: the median of its rounds, with the least and the greatest of them. */
export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** In the order in which they were measured. */
  readonly rounds: readonly number[];
}

/** The figure of at least one round. Throws RangeError for none. */
export function figureOf(rounds: readonly number[]): Figure {
  if (rounds.length === 0) throw new RangeError("a figure needs at least one round");
  const sorted = rounds.toSorted((left, right) => left - right);
  return {
    median: quantileOfSorted(sorted, 0.5),
    min: sorted[0] ?? NaN,
    max: sorted.at(-1) ?? NaN,
    rounds: [...rounds],
  };
}

/**
 * The ratio of two figures that were measured in the same rounds: round by round, because what disturbs a machine
 * disturbs neighbours alike. Undefined when the rounds do not pair or one of the divisors is not above zero.
 */
export function ratioOf(dividend: Figure, divisor: Figure): Figure | undefined {
  if (dividend.rounds.length !== divisor.rounds.length || divisor.min <= 0) return undefined;
  return figureOf(dividend.rounds.map((value, round) => value / (divisor.rounds[round] ?? NaN)));
}

/**
 * The quantile `share` (0..1) of values in ascending order; between two values it lies on the line that joins them.
 * NaN for no values.
 */
export function quantileOfSorted(sorted: ArrayLike<number>, share: number): number {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? NaN;
  const above = sorted[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** The quantiles by which latencies are told. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly count: number;
}

/** Latencies of one load, in the unit of the values. NaN for no values. */
export function latenciesOf(values: readonly number[]): Latencies {
  const sorted = Float64Array.from(values).toSorted();
  return {
    p50: quantileOfSorted(sorted, 0.5),
    p99: quantileOfSorted(sorted, 0.99),
    p999: quantileOfSorted(sorted, 0.999),
    max: sorted.at(-1) ?? NaN,
    count: sorted.length,
  };
}

/** How a value moved along another, by the straight line through its points. */
export interface Growth {
  /** On the line, at its beginning and its end. */
  readonly first: number;
  readonly last: number;
  /** Of the beginning: 0.05 for five percent more at the end. Below zero when it fell. */
  readonly share: number;
}

/** Points of the beginning that are left out as the warm-up. */
const WARM_UP_SHARE = 1 / 3;

/** The growth over points in ascending order of their first number, without the first third. NaN for fewer than three. */
export function growthOf(points: readonly (readonly [at: number, value: number])[]): Growth {
  const kept = points.slice(Math.floor(points.length * WARM_UP_SHARE));
  if (points.length < 3) return { first: NaN, last: NaN, share: NaN };
  const meanAt = kept.reduce((sum, [at]) => sum + at, 0) / kept.length;
  const mean = kept.reduce((sum, [, value]) => sum + value, 0) / kept.length;
  const spread = kept.reduce((sum, [at]) => sum + (at - meanAt) ** 2, 0);
  const rise = kept.reduce((sum, [at, value]) => sum + (at - meanAt) * (value - mean), 0);
  const slope = spread === 0 ? 0 : rise / spread;
  const first = mean + slope * ((kept[0]?.[0] ?? NaN) - meanAt);
  const last = mean + slope * ((kept.at(-1)?.[0] ?? NaN) - meanAt);
  return { first, last, share: (last - first) / first };
}
