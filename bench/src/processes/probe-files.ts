/** Asks the probes inside a gateway's threads. Runs in the bench's main process. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { poll } from "./poll.ts";

const ANSWER_MS = 20_000;
const HEAP_PROBE = fileURLToPath(new URL("../probes/heap.ts", import.meta.url));
const PROFILE_PROBE = fileURLToPath(new URL("../probes/profile.ts", import.meta.url));

/** Flags and environment that make a gateway carry a probe, for its start. */
export interface ProbeSetup {
  readonly nodeFlags: string[];
  readonly env: Record<string, string>;
}

export function heapProbeSetup(path: string): ProbeSetup {
  return { nodeFlags: ["--expose-gc", "--import", HEAP_PROBE], env: { BENCH_HEAP: path } };
}

/** Bytes in use on the heap of the primary and of each of so many workers, after each has collected. */
export async function askHeapBytes(pid: number, path: string, workers: number): Promise<number[]> {
  const texts = await answersOf(
    pid,
    threadsOf(workers).map((thread) => `${path}.${thread}`),
  );
  return texts.map(Number);
}

export function profileProbeSetup(path: string): ProbeSetup {
  return { nodeFlags: ["--import", PROFILE_PROBE], env: { BENCH_PROFILE: path } };
}

/** Profiles all threads while the work is done; gives a file of JSON for each thread, the primary first. */
export async function profile(
  gateway: { readonly pid: number; readonly workers: number; readonly path: string },
  work: () => Promise<void>,
): Promise<string[]> {
  process.kill(gateway.pid, "SIGUSR2");
  await work();
  const files = threadsOf(gateway.workers).map((thread) => `${gateway.path}.${thread}.cpuprofile`);
  return answersOf(gateway.pid, files);
}

function threadsOf(workers: number): string[] {
  return ["primary", ...Array.from({ length: workers }, (_, part) => `gateway-${part}`)];
}

/** Signals the probes and waits until each has written a file that is whole. */
async function answersOf(pid: number, files: readonly string[]): Promise<string[]> {
  for (const file of files) rmSync(file, { force: true });
  process.kill(pid, "SIGUSR2");
  return poll(
    "the answer of the probes",
    () => {
      const texts = files.map((file) => (existsSync(file) ? readFileSync(file, "utf8") : ""));
      return texts.every(isWhole) ? texts : undefined;
    },
    { timeoutMs: ANSWER_MS },
  );
}

/** A number, or an object of JSON with its end: a file may be looked at while it is written. */
function isWhole(text: string): boolean {
  return text !== "" && (!text.startsWith("{") || text.endsWith("}"));
}
