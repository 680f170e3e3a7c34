/**
 * What Linux tells of a process in /proc: CPU time of all its threads and of its children, memory now and at its peak.
 * The parsers are pure. Where there is no /proc every reader gives undefined: the figure is left out, not made up.
 */
import { readFileSync, writeFileSync } from "node:fs";

/** Ticks of utime and stime in a second: fixed at 100 by the interface of the kernel, whatever its own clock. */
export const TICKS_PER_SECOND = 100;
const BYTES_PER_KB = 1024;
/** Processes a contender may have: nginx has two. */
const PROCESSES_MAX = 64;

/** CPU time of a process, user and system, in µs. Undefined for a line that is none of /proc/PID/stat. */
export function cpuMicrosecondsOf(statLine: string): number | undefined {
  // The name in parentheses may hold spaces and parentheses itself: the fields begin behind the last one.
  const fields = statLine.slice(statLine.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? (ticks / TICKS_PER_SECOND) * 1e6 : undefined;
}

/** A line of /proc/PID/status given in kB, such as `VmRSS` or `VmHWM`, in bytes. */
export function memoryBytesOf(statusText: string, name: string): number | undefined {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(statusText)?.[1];
  return found === undefined ? undefined : Number(found) * BYTES_PER_KB;
}

/** CPU time used until now, in µs. */
export interface CpuTimes {
  /** The process with its threads, and its children with theirs. */
  readonly totalUs: number;
  /** The first thread of the process: the gateway's primary. */
  readonly mainThreadUs: number;
}

export function readCpuTimes(pid: number): CpuTimes | undefined {
  const totals = familyOf(pid).map((member) => cpuMicrosecondsOf(read(`/proc/${member}/stat`)));
  const mainThreadUs = cpuMicrosecondsOf(read(`/proc/${pid}/task/${pid}/stat`));
  const known = totals.filter((total) => total !== undefined);
  if (known.length === 0 || mainThreadUs === undefined) return undefined;
  return { totalUs: known.reduce((sum, total) => sum + total, 0), mainThreadUs };
}

/** Resident memory of a process and its children now, bytes. */
export function readResidentBytes(pid: number): number | undefined {
  return sumOver(pid, "VmRSS");
}

/** The peak of {@link readResidentBytes} since the start or the last {@link resetPeak}, each process by itself. */
export function readPeakBytes(pid: number): number | undefined {
  return sumOver(pid, "VmHWM");
}

/** Begins a new peak. Where the kernel does not allow it the old one stays, and the figure is of the whole run. */
export function resetPeak(pid: number): void {
  for (const member of familyOf(pid)) {
    try {
      writeFileSync(`/proc/${member}/clear_refs`, "5");
    } catch {
      return;
    }
  }
}

function sumOver(pid: number, name: string): number | undefined {
  const known = familyOf(pid)
    .map((member) => memoryBytesOf(read(`/proc/${member}/status`), name))
    .filter((bytes) => bytes !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, bytes) => sum + bytes, 0);
}

/** The process and what it started, to the last grandchild. */
function familyOf(pid: number): number[] {
  const family = [pid];
  for (let index = 0; index < family.length && family.length < PROCESSES_MAX; index += 1) {
    const member = family[index] ?? pid;
    const children = read(`/proc/${member}/task/${member}/children`).trim();
    if (children !== "") family.push(...children.split(" ").map(Number));
  }
  return family;
}

/** "" for what is not there: a process may end while it is looked at. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
