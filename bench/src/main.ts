/**
 * `pnpm bench`: measures the gateway beside its peers and writes a report. Ends every process it started, also on an
 * error and on Ctrl-C. Exit code 0 when all was measured, 1 for a failure, 2 for a wrong command line.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, removeFolder } from "./bench.ts";
import { describeMachine, machineSentence } from "./machine.ts";
import { measureUnary } from "./measure/unary.ts";
import { HELP, type Options, readOptions, UsageError } from "./options.ts";
import { FULL_PLAN, QUICK_PLAN } from "./plan.ts";
import { ChildProcesses } from "./processes/child-processes.ts";
import type { Measurement, MeasurementId } from "./result.ts";
import { measurementTable } from "./report/table.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

const MEASUREMENTS: Readonly<Partial<Record<MeasurementId, (bench: Bench) => Promise<Measurement>>>> = {
  unary: measureUnary,
};

async function run(options: Options): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "gemini-gateway-bench-"));
  await using children = new ChildProcesses();
  const leave = async (code: number): Promise<never> => {
    await children[Symbol.asyncDispose]();
    removeFolder(folder);
    process.exit(code);
  };
  const plan = options.isQuick ? QUICK_PLAN : FULL_PLAN;
  process.once("SIGINT", () => void leave(EXIT_INTERRUPTED));
  process.once("SIGTERM", () => void leave(EXIT_INTERRUPTED));
  const bench: Bench = {
    plan: { ...plan, rounds: options.rounds ?? plan.rounds },
    machine: describeMachine(),
    children,
    folder,
    portkeyFolder: options.portkeyFolder,
    against: undefined,
    say: (text) => void process.stdout.write(`${text}\n`),
  };
  bench.say(machineSentence(bench.machine));
  for (const id of options.only) {
    const measurement = await MEASUREMENTS[id]?.(bench);
    if (measurement !== undefined) bench.say(`\n${measurementTable(measurement)}`);
  }
  removeFolder(folder);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.wantsHelp) process.stdout.write(HELP);
  else await run(options);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
}
