/** Whatever happens to a request, its upstream call, its lease use and its log row end, each once. */
import { describe, expect, it } from "vitest";
import type { Pool } from "../harness/pool.ts";
import {
  always,
  answerIn,
  askIn,
  expectServedOnce,
  laneOf,
  NATIVE,
  onPool,
  soloProjects,
  STREAMS,
  WAYS,
} from "./scene.ts";

/** Rows of the log so far. */
function rowsOf(pool: Pool): readonly { readonly requestId: string; readonly attempts: number }[] {
  return pool.logLines
    .map((line) => JSON.parse(line) as { msg: string; requestId: string; attempts: number })
    .filter(({ msg }) => msg === "request");
}

describe.each(WAYS)("asked by $name", (way) => {
  it("a client that leaves before the answer aborts its upstream at once, and the key is not blamed", async () => {
    await onPool({ script: [always({ kind: "stall" })] }, async (pool) => {
      const leaving = new AbortController();
      const asked = askIn(way, pool, { signal: leaving.signal });
      const call = await pool.emulator.waitForCall(({ phase }) => phase === "held");
      leaving.abort();
      await expect(asked).rejects.toThrow("aborted");
      await pool.emulator.waitForCall(({ id, aborted }) => id === call.id && aborted);
      expect(await pool.requestLogged()).toMatchObject({ status: 499, outcome: "caller-left", attempts: 1 });
      expect(pool.emulator.calls.total).toBe(1);
      expect(laneOf(pool, call.key).kind).toBe("untried");
      pool.emulator.clearFaults();
      expectServedOnce(way, await answerIn(way, pool));
    });
  });
});

it.each(STREAMS)("a client that leaves in mid-stream aborts its upstream at once ($name)", async (way) => {
  await onPool({ script: [always({ kind: "stall", afterEvents: 2 })] }, async (pool) => {
    const leaving = new AbortController();
    const response = await askIn(way, pool, { signal: leaving.signal });
    expect(response.status).toBe(200);
    const call = await pool.emulator.waitForCall(({ phase }) => phase === "held");
    leaving.abort();
    await pool.emulator.waitForCall(({ id, aborted }) => id === call.id && aborted);
    expect(await pool.requestLogged()).toMatchObject({ status: 499, outcome: "caller-left", attempts: 1 });
    expect(laneOf(pool, call.key).kind).toBe("untried");
  });
});

it("a client that leaves while it waits for a key takes nothing with it", async () => {
  const flags = { "lease-max-wait": "60s" };
  const script = [
    { times: 1, fault: { kind: "error", error: "quota-minute", retryDelaySeconds: 20 } as const },
  ];
  await onPool({ projects: soloProjects(1), script, flags }, async (pool) => {
    const leaving = new AbortController();
    const first = askIn(NATIVE, pool, { signal: leaving.signal });
    await pool.emulator.waitForCall(({ phase }) => phase === "done");
    await first;
    const waiting = askIn(NATIVE, pool, { signal: leaving.signal });
    const other = askIn(NATIVE, pool, { model: "gemini-2.0-flash" });
    expect((await other).status).toBe(200);
    leaving.abort();
    await expect(waiting).rejects.toThrow("aborted");
    expect(await pool.requestLogged(({ outcome }) => outcome === "caller-left")).toMatchObject({
      attempts: 0,
    });
    expect(pool.emulator.calls.total).toBe(2);
  });
});

it("many clients that leave at any moment leave nothing behind", async () => {
  const script = [
    { match: { key: "test-key-1" }, fault: { kind: "stall", afterEvents: 1 } as const },
    { match: { key: "test-key-2" }, fault: { kind: "error", error: "overloaded" } as const },
    { match: { key: "test-key-3" }, fault: { kind: "stall" } as const },
    { match: { key: "test-key-4" }, fault: { kind: "reset", afterEvents: 2 } as const },
    { match: { key: "test-key-5" }, fault: { kind: "empty-stream" } as const },
  ];
  await onPool({ projects: soloProjects(8), script }, async (pool) => {
    const requests = 100;
    const left = Array.from({ length: requests }, async (_, index) => {
      const leaving = new AbortController();
      const way = WAYS[index % WAYS.length] ?? NATIVE;
      const asked = askIn(way, pool, { signal: leaving.signal }).then((response) => response.text());
      // Some leave at once, the others when so many calls have reached the upstream.
      if (index % 3 > 0) await pool.emulator.waitUntil(({ calls }) => calls.total > index / 2);
      leaving.abort();
      await asked.catch(() => {});
    });
    await Promise.all(left);
    // What the emulator still holds of calls that were served (all but the end of their connection) ends now.
    pool.emulator.clearFaults();
    await pool.emulator.waitUntil(({ calls }) => calls.recent().every(({ phase }) => phase === "done"));
    await pool.endsInBalance();
    const ids = rowsOf(pool).map(({ requestId }) => requestId);
    expect(ids.length).toBeGreaterThan(0);
    expect(new Set(ids).size).toBe(ids.length);
    // Every attempt a row tells of was settled, and nothing was settled that no row tells of, but for keys that came
    // when their client had left.
    const attempts = rowsOf(pool).reduce((sum, row) => sum + row.attempts, 0);
    const { settled } = pool.gateway.scheduler.summary(Date.now()).uses;
    expect(settled).toBeGreaterThanOrEqual(attempts);
    expect(settled).toBeLessThanOrEqual(attempts + requests);
  });
});
