/** The machine in general terms, for the report: enough to judge figures by, nothing that names it. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";

export interface Machine {
  readonly cores: number;
  readonly cpuModel: string;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  /**
   * Files one process may have open; undefined where that cannot be read. It is the hard limit: Node raises its own soft
   * limit to that when it starts, and whoever it starts inherits it.
   */
  readonly openFilesMax: number | undefined;
  /** Whether processes can be pinned to cores. */
  readonly canPin: boolean;
  /** Processes that wanted a core, on average over the minute before the start. Much above 0 spoils figures. */
  readonly loadBefore: number | undefined;
}

export function describeMachine(): Machine {
  return {
    cores: availableParallelism(),
    cpuModel: (cpus()[0]?.model ?? "unknown").replaceAll(/\s+/g, " ").trim(),
    memoryBytes: totalmem(),
    system: `${type()} ${release().split(".").slice(0, 2).join(".")}`,
    node: process.version,
    openFilesMax: openFilesMaxOf(read("/proc/self/limits")),
    canPin: spawnSync("taskset", ["--cpu-list", "0", "true"]).status === 0,
    loadBefore: numberIn(read("/proc/loadavg").split(" ")[0]),
  };
}

/** One line for a report. */
export function machineSentence(machine: Machine): string {
  const memoryGb = Math.round(machine.memoryBytes / 2 ** 30);
  const load = machine.loadBefore === undefined ? "" : `, load before the start ${machine.loadBefore}`;
  return `${machine.cores} cores (${machine.cpuModel}), ${memoryGb} GB, ${machine.system}, Node ${machine.node}${load}`;
}

/** The soft limit in the text of /proc/PID/limits. */
export function openFilesMaxOf(limits: string): number | undefined {
  return numberIn(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined || text === "" ? undefined : Number(text);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
