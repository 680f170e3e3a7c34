/** CPU time that a contender uses while something is done. Runs in the bench's main process. */
import type { Contender } from "../contenders/contender.ts";
import { readCpuTimes } from "./proc-files.ts";

export interface Metered<Result> {
  readonly result: Result;
  /** Of the contender and its children, µs; undefined where there is no /proc, or no process. */
  readonly cpuUs: number | undefined;
  /** Of its first thread, µs. */
  readonly mainThreadUs: number | undefined;
}

export async function meter<Result>(
  { pid }: Contender,
  work: () => Promise<Result>,
): Promise<Metered<Result>> {
  const before = pid === undefined ? undefined : readCpuTimes(pid);
  const result = await work();
  const after = pid === undefined ? undefined : readCpuTimes(pid);
  if (before === undefined || after === undefined)
    return { result, cpuUs: undefined, mainThreadUs: undefined };
  return {
    result,
    cpuUs: after.totalUs - before.totalUs,
    mainThreadUs: after.mainThreadUs - before.mainThreadUs,
  };
}

/** A share of a total that may be unknown. */
export function per(total: number | undefined, count: number): number | undefined {
  return total === undefined || count === 0 ? undefined : total / count;
}
