/** Asks the probe inside a gateway for its heap after a collection. Runs in the bench's main process. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { poll } from "./poll.ts";

const ANSWER_MS = 20_000;
const PROBE = fileURLToPath(new URL("../probes/heap.ts", import.meta.url));

/** What makes a gateway carry the probe, for its start. */
export function heapProbeSetup(path: string): { nodeFlags: string[]; env: Record<string, string> } {
  return { nodeFlags: ["--expose-gc", "--import", PROBE], env: { BENCH_HEAP: path } };
}

/** Bytes in use on the heaps of the primary and of so many workers, after each has collected. */
export async function askHeapBytes(pid: number, path: string, workers: number): Promise<number> {
  const names = ["primary", ...Array.from({ length: workers }, (_, part) => `gateway-${part}`)];
  const files = names.map((name) => `${path}.${name}`);
  for (const file of files) rmSync(file, { force: true });
  process.kill(pid, "SIGUSR2");
  const answers = await poll(
    "the answer of the heap probe",
    () => {
      const texts = files.map((file) => (existsSync(file) ? readFileSync(file, "utf8") : ""));
      return texts.includes("") ? undefined : texts;
    },
    { timeoutMs: ANSWER_MS },
  );
  return answers.reduce((sum, text) => sum + Number(text), 0);
}
