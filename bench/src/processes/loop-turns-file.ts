/** Asks the probe inside a gateway for the longest turn of its primary. Runs in the bench's main process. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { poll } from "./poll.ts";

/** The longest turn since the last question, milliseconds. */
export interface LoopTurns {
  /** As others had to wait: with the time in which the thread waited for a disk or had no core. */
  readonly wallMs: number;
  /** What the thread itself computed. */
  readonly cpuMs: number;
}

const ANSWER_MS = 10_000;

export const LOOP_PROBE = fileURLToPath(new URL("../probes/loop-turns.ts", import.meta.url));

/** What makes a gateway carry the probe, for its start. */
export function probeSetup(path: string): { nodeFlags: string[]; env: Record<string, string> } {
  return { nodeFlags: ["--import", LOOP_PROBE], env: { BENCH_LOOP_TURNS: path } };
}

/** The longest turn since the start or the last question. */
export async function askLoopTurns(pid: number, path: string): Promise<LoopTurns> {
  rmSync(path, { force: true });
  process.kill(pid, "SIGUSR2");
  const text = await poll(
    "the answer of the probe",
    () => (existsSync(path) ? readFileSync(path, "utf8") || undefined : undefined),
    { timeoutMs: ANSWER_MS },
  );
  return JSON.parse(text) as LoopTurns;
}
