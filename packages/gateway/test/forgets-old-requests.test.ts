import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Retention } from "../src/primary/retention.ts";
import { openStore, openStoreReader } from "../src/primary/store/store.ts";
import type { RequestLogRow } from "../src/primary/store/rows.ts";
import { type KeyPoolFixture, keyPoolFixture } from "./key-pool-fixture.ts";
import { startPool } from "./harness/pool.ts";
import { ask } from "./harness/requests.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = 1_700_000_000_000;
/** Rows deleted in one step, at most. */
const STEP_ROWS = 1_000;

let pool: KeyPoolFixture;
beforeEach(() => {
  pool = keyPoolFixture();
});
afterEach(() => pool[Symbol.dispose]());

/** Appends as many rows, one a second, the last of which arrived at `lastAtMs`. */
function append(rows: number, lastAtMs: number): void {
  const first = lastAtMs - (rows - 1) * 1_000;
  for (let from = 0; from < rows; from += STEP_ROWS) {
    const batch = Array.from({ length: Math.min(STEP_ROWS, rows - from) }, (_, index) =>
      row(first + (from + index) * 1_000),
    );
    pool.store.requests.append(batch);
  }
}

function row(atMs: number): RequestLogRow {
  return {
    atMs,
    requestId: "r",
    method: "POST",
    path: "/",
    model: "m",
    status: 200,
    outcome: "served",
    reason: null,
    attempts: 1,
    firstByteMs: 1,
    durationMs: 2,
    bytesIn: 1,
    bytesOut: 1,
    promptTokens: 1,
    outputTokens: 1,
    totalTokens: 2,
    keyId: 1,
    client: "anonymous",
    address: "127.0.0.1",
  };
}

function retention(logRetentionMs: number, logMaxRows: number, nowMs = NOW_MS): Retention {
  const settings = () => ({ logRetentionMs, logMaxRows, affinity: { resources: 1_000 } });
  return new Retention({ store: pool.store, settings, log: pino({ level: "silent" }), now: () => nowMs });
}

/** What is deleted step by step until there is no more. */
function steps(subject: Retention): number[] {
  const deleted: number[] = [];
  do deleted.push(subject.step());
  while (deleted.at(-1) !== 0);
  return deleted;
}

test("requests older than the retention go, a thousand at a time", () => {
  append(2_500, NOW_MS - HOUR_MS - 1_000);
  append(10, NOW_MS);
  expect(steps(retention(HOUR_MS, 1_000_000))).toEqual([1_000, 1_000, 500, 0]);
  expect(pool.store.requests.counts(0).total).toBe(10);
});

test("of too many the oldest go", () => {
  append(3_300, NOW_MS);
  expect(steps(retention(24 * HOUR_MS, 2_000))).toEqual([1_000, 300, 0]);
  expect(pool.store.requests.counts(0).total).toBe(2_000);
  expect(pool.store.requests.counts(NOW_MS - 1_999_000).total).toBe(2_000);
});

test("the newest request stays however old it is, so that whoever follows the log misses none", () => {
  append(5, NOW_MS - 9 * HOUR_MS);
  steps(retention(HOUR_MS, 1_000));
  expect(pool.store.requests.counts(0).total).toBe(1);
  append(1, NOW_MS);
  using reader = openStoreReader(pool.database);
  expect(reader?.requests.within({ afterId: 5, upToId: 6 }, {}, 10)).toHaveLength(1);
});

test("a step of a large log takes no longer than serving can bear", () => {
  append(50_000, NOW_MS - 2 * HOUR_MS);
  const subject = retention(HOUR_MS, 1_000_000);
  const times = Array.from({ length: 40 }, () => {
    const startedAt = performance.now();
    subject.step();
    return performance.now() - startedAt;
  });
  expect(times.toSorted((left, right) => left - right)[20]).toBeLessThan(20);
});

test("a running gateway does so by itself", async () => {
  await using gateway = await startPool({ flags: { "log-retention": "1m" } });
  await (await ask(gateway.url)).text();
  await gateway.requestLogged();
  const count = (): number => {
    using reader = openStoreReader(gateway.config.database);
    return reader?.requests.counts(0).total ?? 0;
  };
  await expect.poll(count).toBe(1);
  // A request of long ago, and the one of now after it, which stays.
  await gateway.gateway.stop();
  {
    using store = openStore(gateway.config.database);
    store.requests.append([row(1), row(Date.now())]);
  }
  await gateway.restart();
  await expect.poll(count).toBe(2);
});
