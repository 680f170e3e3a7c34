/** Which cores each process may use, so that load generator and upstream do not take the contender's. Pure. */

/** Core numbers for `taskset`; undefined leaves the process unpinned. */
export interface Pinning {
  readonly contender: readonly number[] | undefined;
  /** Load generator and upstream. */
  readonly others: readonly number[] | undefined;
  /** How, for the report. */
  readonly sentence: string;
}

/** One core for a contender of one thread, the upper half of the machine for the others. */
export function pinningOfOne(cores: number, canPin: boolean): Pinning {
  if (!canPin) return shared("there is no taskset");
  if (cores < 2) return shared("there is one core");
  return pinned(1, cores);
}

/**
 * A core for each thread, as far as the lower half of the machine goes. With fewer than four cores that half would be one
 * core, on which more threads cannot show anything: then all is shared, also for the contender with one thread, so that
 * the comparison is of like with like.
 */
export function pinningOfSeveral(threads: number, cores: number, canPin: boolean): Pinning {
  if (!canPin) return shared("there is no taskset");
  return cores < 4 ? shared(`${cores} cores are too few`) : pinned(threads, cores);
}

function pinned(threads: number, cores: number): Pinning {
  const half = Math.floor(cores / 2);
  const contender = range(0, Math.min(threads, half));
  const others = range(half, cores);
  return {
    contender,
    others,
    sentence: `Pinned with taskset: the contender to ${listed(contender)}, load generator and upstream to ${listed(others)}.`,
  };
}

function shared(why: string): Pinning {
  return {
    contender: undefined,
    others: undefined,
    sentence: `Not pinned, all processes share all cores: ${why}.`,
  };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function listed(cores: readonly number[]): string {
  return cores.length === 1 ? `core ${cores[0]}` : `cores ${cores.join(", ")}`;
}
