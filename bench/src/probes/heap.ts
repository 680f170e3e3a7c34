/**
 * Loaded into the gateway with `node --expose-gc --import`: what is left on the heap of each thread after a collection,
 * written on SIGUSR2 to a file for each thread, named by BENCH_HEAP. Runs in the gateway's threads.
 */
import { writeFileSync } from "node:fs";
import { onSignal } from "./threads-of-gateway.ts";

const path = process.env["BENCH_HEAP"];
if (path !== undefined) {
  onSignal(import.meta.url, (thread) => {
    globalThis.gc?.();
    writeFileSync(`${path}.${thread}`, String(process.memoryUsage().heapUsed));
  });
}
