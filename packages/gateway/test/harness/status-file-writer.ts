/**
 * Writes reports to the status file without a pause until it is killed; a process of its own.
 * Arguments: the file and its largest size, bytes. Prints a line when the first report is there.
 */
import { pino } from "pino";
import type { ModelStatus, RunningStatus, TrafficStatus } from "../../src/control/types.ts";
import { StatusFile } from "../../src/primary/reporting/status-file.ts";

const [path = "", size = ""] = process.argv.slice(2);
const NOTHING = { p50Ms: null, p90Ms: null, p99Ms: null };
const recent: TrafficStatus = {
  ...{ requests: 1, successRate: 1, byOutcome: {}, attempts: 1, retries: 0 },
  ...{ promptTokens: 0, outputTokens: 0, duration: NOTHING, firstByte: NOTHING },
};
const models = Array.from({ length: 5 }, (_, index): ModelStatus => ({
  ...{ model: `model-${index}`, ready: 1, resting: 0, keys: {}, inFlight: 0, recent },
}));
const report: RunningStatus = {
  ...{ running: true, pid: 1, version: "0.1.0", uptimeMs: 1, baseUrl: "http://127.0.0.1:1", draining: false },
  ...{ workers: [], keys: { total: 1, byState: {} }, models, inFlight: 0, waiting: 0, bans: 0, recent },
  requests: { sinceMs: 0, total: 0, byOutcome: {}, attempts: 0, promptTokens: 0, outputTokens: 0 },
  leases: { open: 0, uses: 0 },
  database: { isWritable: true, pendingRows: 0, lostRows: 0 },
  process: { memoryBytes: 1, loopDelay: { p50Ms: 0, p99Ms: 0, maxMs: 0 }, messages: 0, workersReplaced: 0 },
};

const settings = () => ({ intervalMs: 1, fileSizeBytes: Number(size) });
let reports = 0;
const counted = (): RunningStatus => {
  reports += 1;
  // The one before is written when the next is asked for.
  if (reports === 2) process.stdout.write("written\n");
  return report;
};
const log = pino({ level: "silent" });
new StatusFile({ path, settings, report: counted, log, now: Date.now }).start();
// The timer of a status file alone keeps no process alive.
setInterval(() => undefined, 1_000);
