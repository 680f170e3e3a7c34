import { DEFAULT_SCHEDULER_OPTIONS } from "@gemini-gateway/core/scheduler/options";
import { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { RequestRow } from "../request-row.ts";
import { RowCollector, RowList } from "../row-batch.ts";
import { Bookkeeper, WRITE_INTERVAL_MS } from "./bookkeeper.ts";
import { DurableStore } from "./store/durable-store.ts";
import { REQUEST_LOG_BATCH_ROWS } from "./store/request-log.ts";
import { requestRow } from "../../test/harness/request-row.ts";

/** Rows of one report of a worker. */
const REPORT_ROWS = 250;
/** Enough for every batch of these tests, and no interval of the bookkeeper passes. */
const MEANWHILE_MS = WRITE_INTERVAL_MS - 1;

let folder: string;

beforeEach(() => {
  vi.useFakeTimers();
  folder = mkdtempSync(join(tmpdir(), "gateway-test-"));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

it("writes full batches without waiting for the interval, so that no load outruns it", () => {
  using scene = new Scene(folder);
  for (let report = 0; report < 80; report += 1) scene.report();
  vi.advanceTimersByTime(MEANWHILE_MS);
  expect(scene.keeper.backlog).toEqual({ pendingRows: expect.any(Number), lostRows: 0 });
  expect(scene.keeper.backlog.pendingRows).toBeLessThan(REQUEST_LOG_BATCH_ROWS);
  expect(scene.store.requests.counts(0).total + scene.keeper.backlog.pendingRows).toBe(80 * REPORT_ROWS);
});

it("writes in short turns where little waits, and in longer ones where much does", () => {
  using scene = new Scene(folder);
  const { batches } = scene;
  for (let report = 0; report < 4; report += 1) scene.report(60);
  vi.advanceTimersByTime(MEANWHILE_MS);
  expect(batches).toEqual([120]);
  for (let report = 0; report < 40; report += 1) scene.report(60);
  vi.advanceTimersByTime(MEANWHILE_MS);
  expect(batches[1]).toBe(480);
  expect(Math.max(...batches)).toBeLessThanOrEqual(REQUEST_LOG_BATCH_ROWS);
  expect(batches.at(-1)).toBe(120);
});

it.each([
  [2, 240],
  [4, 480],
  [64, 480],
])("writes in longer turns where %i workers share a core", (workersPerCore, longest) => {
  using scene = new Scene(folder, workersPerCore);
  for (let report = 0; report < 10; report += 1) {
    scene.report(60);
    vi.advanceTimersByTime(1);
  }
  vi.advanceTimersByTime(10);
  expect(new Set(scene.batches)).toEqual(new Set([longest]));
});

it("keeps few rows for the interval, and writes all of them at the end", () => {
  using scene = new Scene(folder);
  scene.report();
  expect(scene.keeper.backlog.pendingRows).toBe(REPORT_ROWS);
  scene.keeper.flush();
  expect(scene.keeper.backlog).toEqual({ pendingRows: 0, lostRows: 0 });
  expect(scene.store.requests.counts(0).total).toBe(REPORT_ROWS);
});

it("writes what changed by the interval, however many batches of rows come before, a small batch in each turn", () => {
  using scene = new Scene(folder);
  scene.changeStates(1_100);
  for (let report = 0; report < 4; report += 1) scene.report();
  vi.advanceTimersByTime(MEANWHILE_MS);
  expect(scene.keeper.backlog.pendingRows).toBe(0);
  expect(scene.savedStates).toEqual([]);
  vi.advanceTimersByTime(1);
  vi.advanceTimersByTime(MEANWHILE_MS);
  expect(scene.savedStates).toEqual([250, 250, 250, 250, 100]);
});

it("keeps at most 50,000 rows while they cannot be written, counts the others and does not try at every report", () => {
  using scene = new Scene(folder);
  let tries = 0;
  scene.append = () => {
    tries += 1;
    throw new Error("disk full");
  };
  for (let report = 0; report < 240; report += 1) {
    scene.report();
    vi.advanceTimersByTime(1);
  }
  expect(scene.keeper.backlog).toEqual({ pendingRows: 50_000, lostRows: 10_000 });
  expect(tries).toBeLessThan(20);
});

/** A bookkeeper with its real store. */
class Scene implements Disposable {
  readonly store: DurableStore;
  readonly keeper: Bookkeeper;
  append: DurableStore["requests"]["append"];
  /** How many states of keys each batch had. */
  readonly savedStates: number[] = [];
  /** How many rows each batch had. */
  readonly batches: number[] = [];
  readonly #scheduler = new Scheduler(DEFAULT_SCHEDULER_OPTIONS, () => 0.5);
  #rows = 0;

  constructor(path: string, workersPerCore?: number) {
    const log = pino({ enabled: false });
    const now = Date.now;
    this.store = new DurableStore({ path: join(path, "gateway.db"), log, now });
    this.append = (rows) => this.store.requests.append(rows);
    const requests = { ...this.store.requests, append: this.#append.bind(this) };
    const { models } = this.store;
    const saveHealth: DurableStore["keys"]["saveHealth"] = (rows) => {
      this.savedStates.push(rows.length);
      this.store.keys.saveHealth(rows);
    };
    const keys = { ...this.store.keys, saveHealth };
    this.keeper = new Bookkeeper({
      store: { keys, models, requests },
      scheduler: this.#scheduler,
      log,
      logRequests: () => false,
      now,
      ...(workersPerCore === undefined ? {} : { workersPerCore }),
    });
  }

  /** So many keys have a state that is not stored yet. */
  changeStates(keys: number): void {
    this.#scheduler.addKeys(
      Array.from({ length: keys }, (_, index) => ({ id: index + 1, project: undefined })),
    );
    this.#scheduler.forgetStored();
  }

  /** A worker reports. */
  report(rows = REPORT_ROWS): void {
    const collector = new RowCollector();
    for (let count = 0; count < rows; count += 1) collector.add(rowOf((this.#rows += 1)));
    const batch = collector.take();
    if (batch !== undefined) this.keeper.record(new RowList(batch));
  }

  [Symbol.dispose](): void {
    this.append = () => undefined;
    this.keeper[Symbol.dispose]();
    this.store[Symbol.dispose]();
  }

  #append(rows: Parameters<DurableStore["requests"]["append"]>[0]): void {
    this.batches.push(rows.length);
    this.append(rows);
  }
}

function rowOf(number: number): RequestRow {
  return requestRow({
    atMs: 1_000 + number,
    requestId: `r-${number}`,
    promptTokens: 1,
    outputTokens: 2,
    totalTokens: 3,
    client: `client-${number % 3}`,
  });
}
