/**
 * The machine's cores: who may use them, and for how long they did nothing. Linux only; elsewhere nothing is pinned and
 * idle time is undefined. Runs in the bench's main process.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { TICKS_PER_SECOND } from "./proc-files.ts";

/** Moves all threads of a process we started to these cores, from now on; undefined leaves it where it is. */
export function pinProcess(pid: number, cores: readonly number[] | undefined): void {
  if (cores === undefined) return;
  const moved = spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", cores.join(","), String(pid)]);
  // A thread that ended while it was moved is no failure.
  if (moved.status === null) throw new Error("taskset could not move a process");
}

/** Time until now in which these cores did nothing, µs; undefined where that cannot be read. */
export function readIdleUs(cores: readonly number[] | undefined): number | undefined {
  if (cores === undefined) return undefined;
  try {
    return idleMicrosecondsOf(readFileSync("/proc/stat", "utf8"), cores);
  } catch {
    return undefined;
  }
}

/**
 * Idle time of some cores in the text of /proc/stat, µs: waiting for a disk counts as idle, what a hypervisor took for
 * other guests does not. Undefined when a core is not in it. Pure.
 */
export function idleMicrosecondsOf(text: string, cores: readonly number[]): number | undefined {
  let ticks = 0;
  for (const core of cores) {
    const [idle, waiting] =
      new RegExp(`^cpu${core} (.*)$`, "m").exec(text)?.[1]?.split(" ").slice(3, 5) ?? [];
    if (idle === undefined || waiting === undefined) return undefined;
    ticks += Number(idle) + Number(waiting);
  }
  return (ticks / TICKS_PER_SECOND) * 1e6;
}
