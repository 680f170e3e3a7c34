/** The status of a gateway that has done nothing yet; tests change what they are about. */
import type { RunningStatus, TrafficStatus } from "../../src/control/types.ts";

const UNMEASURED = { p50Ms: null, p90Ms: null, p99Ms: null };

export const NO_TRAFFIC: TrafficStatus = {
  requests: 0,
  successRate: null,
  byOutcome: {},
  attempts: 0,
  retries: 0,
  promptTokens: 0,
  outputTokens: 0,
  duration: UNMEASURED,
  firstByte: UNMEASURED,
};

export const IDLE_REPORT: RunningStatus = {
  running: true,
  pid: 7,
  version: "1.2.3",
  uptimeMs: 1_000,
  baseUrl: "http://127.0.0.1:55200",
  draining: false,
  workers: [],
  keys: { total: 0, byState: {} },
  models: [],
  inFlight: 0,
  waiting: 0,
  liveSessions: 0,
  requests: { sinceMs: 0, total: 0, byOutcome: {}, attempts: 0, promptTokens: 0, outputTokens: 0 },
  recent: NO_TRAFFIC,
  leases: { open: 0, uses: 0 },
  bans: 0,
  resources: { known: 0, unsaved: 0 },
  conversations: { kept: 0, moved: 0 },
  database: { state: "ok", pendingRows: 0, lostRows: 0 },
  process: { memoryBytes: 1, loopDelay: { p50Ms: 0, p99Ms: 0, maxMs: 0 }, messages: 0, workersReplaced: 0 },
};
