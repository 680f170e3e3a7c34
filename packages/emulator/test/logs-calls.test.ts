import { describe, expect, it } from "vitest";
import { CALL_BODY_BYTES_MAX } from "../src/call-log.ts";
import { startEmulator } from "../src/emulator.ts";
import { HI, post, saying, SSE, UNARY } from "./client.ts";

describe("logs calls within bounds", () => {
  it("tells key, project, model, operation, raw headers and body", async () => {
    await using emulator = await startEmulator();
    await (await post(emulator, `${SSE}&x=1`, HI, { "x-goog-api-key": "test-key-3", "X-Odd": "Yes" })).text();
    const call = await emulator.waitForCall(({ phase }) => phase === "done");
    expect(call).toMatchObject({
      key: "test-key-3",
      project: "beta",
      model: "gemini-2.5-flash",
      operation: "streamGenerateContent",
      method: "POST",
      path: `${SSE}&x=1`,
      status: 200,
      events: 4,
      aborted: false,
      faults: [],
    });
    expect(JSON.parse(call.body.toString())).toEqual(HI);
    expect(call.headers).toContain("Yes");
    expect(emulator.calls.byProject("beta")).toBe(1);
    expect(emulator.calls.byModel("gemini-2.5-flash")).toBe(1);
    emulator.calls.reset();
    expect([emulator.calls.total, emulator.calls.byProject("beta")]).toEqual([0, 0]);
  });

  it("keeps the latest calls only, and the head of a large body", async () => {
    await using emulator = await startEmulator({ callsKept: 3 });
    const large = saying("x".repeat(CALL_BODY_BYTES_MAX));
    for (let index = 0; index < 8; index += 1) await (await post(emulator, UNARY, large)).text();
    expect(emulator.calls.total).toBe(8);
    expect(emulator.calls.recent()).toHaveLength(3);
    const [call] = emulator.calls.recent();
    expect(call?.body.length).toBe(CALL_BODY_BYTES_MAX);
    expect(call?.bodyBytes).toBe(JSON.stringify(large).length);
  });

  it("says for what it waited in vain", async () => {
    await using emulator = await startEmulator();
    await expect(emulator.waitForCall((call) => call.status === 999, 1)).rejects.toThrow(/in vain.*999/);
  });
});

describe("meets calls by rule", () => {
  it("after and until a number of calls, at most so many times", async () => {
    await using emulator = await startEmulator();
    const error = { kind: "error", error: "overloaded" } as const;
    emulator.fault({ match: { key: "test-key-1", afterCalls: 1, untilCalls: 4 }, times: 2, fault: error });
    const statuses: number[] = [];
    for (let index = 0; index < 5; index += 1) statuses.push((await post(emulator, UNARY)).status);
    expect(statuses).toEqual([200, 503, 503, 200, 200]);
    expect((await post(emulator, UNARY, HI, { "x-goog-api-key": "test-key-2" })).status).toBe(200);
  });

  it("between two moments of the clock", async () => {
    const clock = { nowMs: 1_000_000 };
    await using emulator = await startEmulator({ now: () => clock.nowMs });
    emulator.fault({ match: { fromMs: 10, untilMs: 20 }, fault: { kind: "html" } });
    const statuses: number[] = [];
    for (const elapsedMs of [9, 10, 19, 20]) {
      clock.nowMs = 1_000_000 + elapsedMs;
      statuses.push((await post(emulator, UNARY)).status);
    }
    expect(statuses).toEqual([200, 503, 503, 200]);
  });

  it("by a seeded chance, the same in every run", async () => {
    const run = async (): Promise<readonly number[]> => {
      await using emulator = await startEmulator();
      emulator.fault({ probability: 0.5, seed: 7, fault: { kind: "html" } });
      const statuses: number[] = [];
      for (let index = 0; index < 20; index += 1) statuses.push((await post(emulator, UNARY)).status);
      return statuses;
    };
    const first = await run();
    expect(new Set(first)).toEqual(new Set([200, 503]));
    expect(await run()).toEqual(first);
  });
});
