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
  liveSessions: 2,
  recent: RECENT,
  leases: { open: 4, uses: 12 },
  bans: 2,
  resources: { known: 17, unsaved: 0 },
  conversations: { kept: 40, moved: 3 },
  database: { state: "ok", pendingRows: 0, lostRows: 0 },
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
      "Serving on http://127.0.0.1:55200",
      "          for 1h, process 4711, version 0.1.0",
      "Workers:  2: 1 starting, 1 replaced since the start, 3 requests in flight,",
      "          1 waiting for a key, 2 Live sessions",
      "          in flight by worker: 1 (3), 2 (0)",
      "Keys:     7: 5 ready, 2 resting",
      "Leases:   4: 12 uses lent",
      "Bans:     2",
      "Owned:    17 resources whose project is known",
      "Talks:    40 requests stayed with their project, 3 had to move",
      "Primary:  200 MB, event loop late by 0.1 ms, p99 2.3 ms, most 15.0 ms",
      "Requests: 12 in the last 1d: 11 served, 1 caller-fault",
      "          14 upstream calls, 100 prompt tokens, 2000 output tokens",
      "Last 30m: 12 requests, 91.6% served, 2 retries",
      "          first byte p50 320ms, p90 800ms, p99 1.9s",
      "          whole answer p50 900ms, p90 2.4s, p99 1.0m",
      "",
      "MODEL             READY  REST  BACK    30m  OK     FIRST  P99",
      "gemini-2.5-flash  5      2     in 20s  12   91.6%  320ms  1.0m",
    ].join("\n"),
  );
});

test("no line is longer than a terminal is wide, whatever names and numbers are", () => {
  const long = "x".repeat(300);
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`${long}${index}`, 1e9]));
  const recent = { ...RECENT, requests: 123_456_789, retries: 1e9, byOutcome: many };
  const [model] = RUNNING.models;
  const text = statusText(
    {
      ...RUNNING,
      baseUrl: `http://${long}:1`,
      workers: Array.from({ length: 256 }, (_, id) => ({ ...RUNNING.workers[0]!, id, inFlight: 5_000 })),
      keys: { total: 500_000, byState: many },
      models: Array.from({ length: 100 }, () => ({
        ...model!,
        model: long,
        ready: 500_000,
        resting: 500_000,
        recent,
      })),
      requests: {
        ...RUNNING.requests,
        byOutcome: many,
        promptTokens: 1e15,
        outputTokens: 1e15,
        attempts: 1e9,
      },
      recent,
      database: { state: "failing", pendingRows: 50_000, lostRows: 1e9 },
    },
    NOW_MS,
  );
  const lines = text.split("\n");
  expect(lines.filter((each) => each.length > 80)).toEqual([]);
  expect(text).toContain("CANNOT BE WRITTEN");
  expect(text).toContain("and 70 more");
  expect(lines.length).toBeLessThan(150);
});

test("a failure among many requests is never rounded away", () => {
  const recent = { ...RECENT, successRate: 0.99996 };
  expect(statusText({ ...RUNNING, recent }, NOW_MS)).toContain("99.9% served");
});

test("a gateway that drains says so", () => {
  expect(statusText({ ...RUNNING, draining: true }, NOW_MS)).toMatch(/^Draining on /);
});

test("when none runs, what the files tell is told", () => {
  const text = statusText({ running: false, keys: { total: 0, byState: {} } }, NOW_MS);
  expect(text).toBe("No gateway is running on this database.\nKeys:     0");
});
