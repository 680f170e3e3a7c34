/**
 * Writes reports to the status file without a pause until it is killed; a process of its own.
 * Arguments: the file and its largest size, bytes. Prints a line when the first report is there.
 */
import { pino } from "pino";
import type { RunningStatus } from "../../src/control/types.ts";
import { StatusFile } from "../../src/primary/reporting/status-file.ts";
import { IDLE_REPORT, NO_TRAFFIC } from "./idle-report.ts";

const [path = "", size = ""] = process.argv.slice(2);
const recent = { ...NO_TRAFFIC, requests: 1 };
const models = Array.from({ length: 5 }, (_, index) => ({
  model: `model-${index}`,
  ready: 1,
  resting: 0,
  keys: {},
  inFlight: 0,
  recent,
}));
const report: RunningStatus = { ...IDLE_REPORT, models, recent };

const settings = () => ({ intervalMs: 1, fileSizeBytes: Number(size) });
let reports = 0;
const counted = (): Promise<RunningStatus> => {
  reports += 1;
  // The one before is written when the next is asked for.
  if (reports === 2) process.stdout.write("written\n");
  return Promise.resolve(report);
};
const log = pino({ level: "silent" });
new StatusFile({ path, settings, report: counted, log, now: Date.now }).start();
// The timer of a status file alone keeps no process alive.
setInterval(() => undefined, 1_000);
