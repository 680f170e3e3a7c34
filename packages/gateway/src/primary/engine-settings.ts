/**
 * What V8 does beside the program, set for a server whose threads use all cores: every thread of V8's own then takes a core
 * from a thread that serves. Process-wide; it must run before the first worker thread starts, for a heap takes its sizes from
 * the settings of that moment. Measured in docs/decisions/0087 and 0088.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setPriority } from "node:os";
import { setFlagsFromString } from "node:v8";

export const ENGINE_SETTINGS = [
  // After eight seconds without much to do V8 collects all garbage to give memory back, and from then on lets the heap grow in
  // small steps only: the first second of the next load is spent on full collections.
  "--no-memory-reducer",
  // New objects are collected in half a millisecond. Four helper threads make that no shorter where all cores are in use.
  "--no-parallel-scavenge",
  // Megabytes that a worker's heap may have before its first full collection: one that serves settles at 25 to 50.
  "--initial-heap-size=64",
  // A full collection takes a core for 20 to 50 ms. Where the heap grows slowly V8 would have the next one after a tenth more.
  "--heap-growing-percent=100",
  // Code is compiled by one thread at a time for each of our threads, not by up to four and two.
  "--concurrent-turbofan-max-threads=1",
  "--concurrent-maglev-max-threads=1",
] as const;

/** Of Linux, for one thread: where a thread that serves wants the core it gets nine tenths of it. */
const HELPER_NICENESS = 10;
/** The threads of this process, by their ids. */
const THREADS = "/proc/self/task";
/** How V8's helper threads are called: `V8Worker`, `node-V8Worker`. */
const HELPER_NAME = /V8Worker/;

/** A setting that this version of V8 does not know is left out by it, with a line on standard error. */
export function setEngine(): void {
  for (const setting of ENGINE_SETTINGS) setFlagsFromString(setting);
  if (process.platform === "linux") letHelpersWait();
}

/**
 * V8's helpers mark what is garbage and compile what is hot, four of them at once, each as entitled to a core as a worker. Only
 * Linux has a priority for a single thread.
 */
function letHelpersWait(): void {
  for (const thread of existsSync(THREADS) ? readdirSync(THREADS) : []) {
    try {
      const name = readFileSync(`${THREADS}/${thread}/comm`, "utf8");
      if (HELPER_NAME.test(name)) setPriority(Number(thread), HELPER_NICENESS);
    } catch {
      // It has ended meanwhile, or may not be looked at: it stays as it is.
    }
  }
}
