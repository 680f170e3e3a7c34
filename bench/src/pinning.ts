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
  const contender = range(0, 1);
  const others = range(Math.floor(cores / 2), cores);
  return {
    contender,
    others,
    sentence: `Pinned with taskset: the contender to ${listed(contender)}, load generator and upstream to ${listed(others)}.`,
  };
}

/** A number of workers, and who runs where while they are loaded. */
export interface Division {
  readonly workers: number;
  /** Undefined where nothing can be pinned. */
  readonly contender: readonly number[] | undefined;
  readonly others: readonly number[] | undefined;
}

/** With fewer cores the lower half of the machine has no room for two workers. */
const CORES_TO_DIVIDE = 4;
/** Eight workers are also held against two on the cores of two. */
const CORES_OF_MANY = 2;

/**
 * A core for each worker. On four cores and more as far as the lower half of the machine goes, with load generator and
 * upstream on the upper half; on fewer they share the gateway's cores, one worker's single core too, so that each number
 * of workers is disturbed alike. More than two workers are also tried on two cores.
 */
export function divisionsOf(
  workers: readonly number[],
  cores: number,
  canPin: boolean,
): { readonly divisions: readonly Division[]; readonly sentence: string } {
  if (!canPin) {
    return {
      divisions: workers.map((count) => ({ workers: count, contender: undefined, others: undefined })),
      sentence: shared("there is no taskset").sentence,
    };
  }
  const isDivided = cores >= CORES_TO_DIVIDE;
  const most = isDivided ? Math.floor(cores / 2) : cores;
  const division = (count: number, given: number): Division => ({
    workers: count,
    contender: range(0, given),
    others: isDivided ? range(most, cores) : range(0, given),
  });
  const divisions = workers.flatMap((count) => {
    const given = Math.min(count, most);
    return given > CORES_OF_MANY
      ? [division(count, given), division(count, CORES_OF_MANY)]
      : [division(count, given)];
  });
  const where = isDivided
    ? `the gateway to as many of ${listed(range(0, most))} as it has workers, load generator and upstream to ${listed(range(most, cores))}`
    : "the gateway, load generator and upstream together to as many cores as it has workers and the machine has cores";
  return { divisions, sentence: `Pinned with taskset: ${where}.` };
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
