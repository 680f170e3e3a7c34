/**
 * `pnpm bench`: measures the gateway beside its peers and writes a report. Ends every process it started, also on an
 * error and on Ctrl-C. Exit code 0 when all was measured, 1 for a failure, 2 for a wrong command line.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bench, removeFolder } from "./bench.ts";
import { describeMachine, machineSentence } from "./machine.ts";
import { measureBodies } from "./measure/bodies.ts";
import { measureLatency } from "./measure/latency.ts";
import { measurePoolSize } from "./measure/pool-size.ts";
import { measureProfile } from "./measure/profile.ts";
import { measureSoak } from "./measure/soak.ts";
import { measureStorm } from "./measure/storm.ts";
import { measureStreams } from "./measure/streams.ts";
import { measureUnary } from "./measure/unary.ts";
import { HELP, type Options, readOptions, UsageError } from "./options.ts";
import { FULL_PLAN, type Plan, QUICK_PLAN } from "./plan.ts";
import { ChildProcesses } from "./processes/child-processes.ts";
import { faultsIn } from "./report/faults.ts";
import { htmlReport } from "./report/html.ts";
import { markdownReport } from "./report/markdown.ts";
import type { Report } from "./report/report.ts";
import { verdictsOn } from "./report/targets.ts";
import { measurementText, verdictsText } from "./report/terminal.ts";
import type { Measurement, MeasurementId } from "./result.ts";
import { checkOutRevision } from "./revision.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
const FOLDER = fileURLToPath(new URL("../", import.meta.url));

const MEASUREMENTS: Readonly<Record<MeasurementId, (bench: Bench) => Promise<Measurement>>> = {
  unary: measureUnary,
  streams: measureStreams,
  latency: measureLatency,
  "pool-size": measurePoolSize,
  storm: measureStorm,
  bodies: measureBodies,
  soak: measureSoak,
  profile: measureProfile,
};

async function main(options: Options): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "gemini-gateway-bench-"));
  using cleanup = new DisposableStack();
  cleanup.defer(() => removeFolder(folder));
  await using children = new ChildProcesses();
  const leave = async (code: number, why: string): Promise<void> => {
    process.stderr.write(`bench: ${why}\n`);
    await children[Symbol.asyncDispose]();
    removeFolder(folder);
    process.exit(code);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void leave(EXIT_INTERRUPTED, `stopped by ${signal}`));
  }
  const plan = planOf(options);
  const tooLong = `not done within ${plan.limitMs / 60_000} minutes`;
  const limit = setTimeout(() => void leave(EXIT_FAILED, tooLong), plan.limitMs);
  cleanup.defer(() => clearTimeout(limit));
  const report = await measureAll(options, { plan, children, folder });
  publish(report);
  if (report.faults.length > 0) process.exitCode = EXIT_FAILED;
}

/** The plan with what the command line changes in it. */
function planOf({ isQuick, rounds, soakMinutes, only }: Options): Plan {
  const plan = isQuick ? QUICK_PLAN : FULL_PLAN;
  const soak = { ...plan.soak, minutes: soakMinutes ?? plan.soak.minutes };
  // Twice: it ends when a slice does, and its processes have to start.
  const soakLimitMs = only.includes("soak") ? soak.minutes * 2 * 60_000 : 0;
  return { ...plan, rounds: rounds ?? plan.rounds, soak, limitMs: plan.limitMs + soakLimitMs };
}

/** Runs the measurements asked for, one after the other, and prints each as it is done. */
async function measureAll(
  options: Options,
  given: Pick<Bench, "plan" | "children" | "folder">,
): Promise<Report> {
  const startedAtMs = Date.now();
  const against =
    options.against === undefined
      ? undefined
      : checkOutRevision(options.against, join(given.folder, "revision"));
  const { portkeyFolder } = options;
  const machine = describeMachine();
  const bench: Bench = { ...given, machine, portkeyFolder, against, absent: new Map(), say };
  say(machineSentence(machine));
  const measurements: Measurement[] = [];
  for (const id of options.only) {
    say(`${id}:`);
    const measurement = await MEASUREMENTS[id](bench);
    say(measurementText(measurement));
    measurements.push(measurement);
  }
  const absent = [...bench.absent].map(([name, reason]) => `${name} takes no part: ${reason}.`);
  return {
    startedAt: new Date(startedAtMs).toISOString(),
    durationMs: Date.now() - startedAtMs,
    revision: ownRevision(),
    against: against?.revision,
    isQuick: options.isQuick,
    machine,
    plan: given.plan,
    notes: against?.warning === undefined ? absent : [against.warning, ...absent],
    measurements,
    verdicts: verdictsOn(measurements),
    faults: faultsIn(measurements),
  };
}

function publish(report: Report): void {
  writeFileSync(join(FOLDER, "report.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(join(FOLDER, "report.html"), htmlReport(report));
  writeFileSync(join(FOLDER, "report.md"), markdownReport(report));
  say(verdictsText(report));
  say("Written: bench/report.html, bench/report.json, bench/report.md");
}

/** As git calls it; "unknown" where there is no git. */
function ownRevision(): string {
  const described = spawnSync("git", ["describe", "--always", "--exclude=*", "--dirty=+"], { cwd: FOLDER });
  return described.status === 0 ? described.stdout.toString().trim() : "unknown";
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.wantsHelp) process.stdout.write(HELP);
  else await main(options);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
}
