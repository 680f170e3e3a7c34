/**
 * What V8 does beside the program, set for a server whose threads use all cores: every thread of V8's own then takes a core
 * from a thread that serves. Process-wide; it must run before the first worker thread starts, for a heap takes its sizes from
 * the settings of that moment. Measured in docs/decisions/0087 and 0088.
 */
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
  "--heap-growing-percent=200",
  // Code is compiled by one thread at a time for each of our threads, not by up to four and two.
  "--concurrent-turbofan-max-threads=1",
  "--concurrent-maglev-max-threads=1",
] as const;

/** A setting that this version of V8 does not know is left out by it, with a line on standard error. */
export function setEngine(): void {
  for (const setting of ENGINE_SETTINGS) setFlagsFromString(setting);
}
