import { expect, test } from "vitest";
import type { RunningStatus, TrafficStatus } from "../control/types.ts";
import { statusText } from "./print-status.ts";

const NOW_MS = 1_700_000_000_000;

const RECENT: TrafficStatus = {
  requests: 12,
  successRate: 0.916,
  byOutcome: { served: 11, overloaded: 1 },
  attempts: 14,
  retries: 2,
  promptTokens: 100,
  outputTokens: 2_000,
  duration: { p50Ms: 900, p90Ms: 2_400, p99Ms: 61_000 },
  firstByte: { p50Ms: 320, p90Ms: 800, p99Ms: 1_950 },
};

const RUNNING: RunningStatus = {
  running: true,
  pid: 4711,
  version: "0.1.0",
  uptimeMs: 3_600_000,
  baseUrl: "http://127.0.0.1:55200",
  draining: false,
  workers: [
    { id: 1, state: "serving", inFlight: 3, waiting: 1, upMs: 60_000 },
    { id: 2, state: "starting", inFlight: 0, waiting: 0, upMs: 10 },
  ],
  keys: { total: 7, byState: { resting: 2, ready: 5 } },
  models: [
    {
      model: "gemini-2.5-flash",
      ready: 5,
      resting: 2,
      retryAtMs: NOW_MS + 20_000,
      keys: { open: 5, "quota-day": 2 },
      inFlight: 3,
      recent: RECENT,
    },
  ],
  inFlight: 3,
  waiting: 1,
  recent: RECENT,
  leases: { open: 4, uses: 12 },
  bans: 2,
  database: { isWritable: true, pendingRows: 0, lostRows: 0 },
  process: {
    memoryBytes: 200 * 1024 * 1024,
    loopDelay: { p50Ms: 0.1, p99Ms: 2.34, maxMs: 15 },
    messages: 100,
    workersReplaced: 1,
  },
  requests: {
    total: 12,
    byOutcome: { served: 11, "caller-fault": 1 },
    attempts: 14,
    promptTokens: 100,
    outputTokens: 2_000,
    sinceMs: NOW_MS - 86_400_000,
  },
};

test("a running gateway tells its address, workers, keys, requests and models", () => {
  expect(statusText(RUNNING, NOW_MS)).toBe(
    [
      "Serving on http://127.0.0.1:55200 for 1h (process 4711, version 0.1.0)",
      "Workers:  2, requests in flight 3",
      "          1 serving (3), 2 starting (0)",
      "Keys:     7: 5 ready, 2 resting",
      "Requests: 12 in the last 1d: 11 served, 1 caller-fault",
      "          14 upstream calls, 100 prompt tokens, 2000 output tokens",
      "",
      "MODEL             READY  RESTING  NEXT BACK",
      "gemini-2.5-flash  5      2        in 20s",
    ].join("\n"),
  );
});

test("a gateway that drains says so", () => {
  expect(statusText({ ...RUNNING, draining: true }, NOW_MS)).toMatch(/^Draining on /);
});

test("when none runs, what the files tell is told", () => {
  const text = statusText({ running: false, keys: { total: 0, byState: {} } }, NOW_MS);
  expect(text).toBe("No gateway is running on this database.\nKeys:     0");
});
