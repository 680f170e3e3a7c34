/**
 * A stream that fails after the client has seen some of it: no retry, no text twice, one explicit error event where
 * the framing allows one and a cut connection where it does not, never an SSE comment. And what comes late from the
 * upstream itself passes through as it is.
 */
import type { Fault } from "gemini-emulator/fault-rules";
import { describe, expect, it } from "vitest";
import type { Pool } from "../harness/pool.ts";
import { eventsOf } from "../harness/requests.ts";
import {
  always,
  answerIn,
  askIn,
  expectServedOnce,
  keyOfCall,
  laneOf,
  MODEL,
  once,
  onPool,
  soloProjects,
  STREAMS,
  wayNamed,
  type Way,
  type WayName,
} from "./scene.ts";

/** Values of a stream as its client parses them: events, or elements of a valid array. */
function valuesOf(way: Way, body: string): readonly unknown[] {
  return way.name === "json-array" ? (JSON.parse(body) as unknown[]) : eventsOf(body);
}

const BROKEN = {
  error: { code: 503, status: "UNAVAILABLE", message: "The Gemini API broke off its answer." },
};

function expectNoComment(body: string): void {
  expect(body).not.toMatch(/^:/m);
}

/** What a direct client of the emulator gets for the same request: the bytes that must pass through. */
async function directly(way: Way, pool: Pool): Promise<string> {
  const path = way.path(MODEL).replace("/v1/chat", "/v1beta/openai/chat");
  const response = await fetch(pool.emulator.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-goog-api-key": "test-key-1" },
    body: JSON.stringify(way.body(MODEL, "say it once")),
  });
  return response.text();
}

/** Ids and times differ from call to call, and the project from key to key. */
function withoutIds(body: string): string {
  return body.replace(/"(responseId|id|created)": ?("[^"]*"|\d+)/g, '"$1":0');
}

describe.each(STREAMS)("a stream by $name", (way) => {
  const projects = soloProjects(1);

  it.each<{ name: string; fault: Fault; key: string }>([
    { name: "an error event", fault: { kind: "late-error-event", afterEvents: 2 }, key: "overloaded" },
    { name: "a raw JSON tail", fault: { kind: "raw-json-tail", afterEvents: 2 }, key: "overloaded" },
    {
      name: "an error event about the quota",
      fault: { kind: "late-error-event", afterEvents: 2, error: "quota-minute" },
      key: "quota-minute",
    },
  ])("passes $name of the upstream's own through once, and the key rests", async ({ name, fault, key }) => {
    // In an array a raw tail is no JSON and so no error that a client could read.
    const rests = name === "a raw JSON tail" && way.name === "json-array" ? "proven" : key;
    await onPool({ projects, script: [always(fault)] }, async (pool) => {
      const answer = await answerIn(way, pool);
      expect(answer.status).toBe(200);
      expect(pool.emulator.calls.total).toBe(1);
      expect(withoutIds(answer.body)).toBe(withoutIds(await directly(way, pool)));
      expect(answer.body.split('"error"').length - 1).toBe(1);
      await pool.requestLogged();
      expect(laneOf(pool, "test-key-1").kind).toBe(rests);
    });
  });

  it("that is reset between events ends with exactly one error, and the key rests", async () => {
    await onPool({ script: [once({ kind: "reset", afterEvents: 2 })] }, async (pool) => {
      const answer = await answerIn(way, pool);
      expect(answer.status).toBe(200);
      const values = valuesOf(way, answer.body);
      expect(values).toHaveLength(3);
      expect(values[2]).toEqual(BROKEN);
      expect(way.textOf(answer.body).length).toBeGreaterThan(0);
      expectNoComment(answer.body);
      expect(pool.emulator.calls.total).toBe(1);
      expect(await pool.requestLogged()).toMatchObject({ status: 200, outcome: "broken", attempts: 1 });
      expect(laneOf(pool, keyOfCall(pool, 0)).kind).toBe("overloaded");
      expectServedOnce(way, await answerIn(way, pool));
    });
  });

  it("that goes silent ends with exactly one error after `timeouts.idle`, and the key is not blamed", async () => {
    const flags = { "timeouts-idle": "1s" };
    await onPool({ script: [once({ kind: "stall", afterEvents: 2 })], flags }, async (pool) => {
      const answer = await answerIn(way, pool);
      expect(valuesOf(way, answer.body).slice(2)).toEqual([BROKEN]);
      await pool.emulator.waitForCall(({ aborted }) => aborted);
      expect(await pool.requestLogged()).toMatchObject({ outcome: "network", attempts: 1 });
      expect(["untried", "proven"]).toContain(laneOf(pool, keyOfCall(pool, 0)).kind);
    });
  });

  it("that just stops, without a finish, is passed on as it came and logged as truncated", async () => {
    await onPool({ projects, script: [always({ kind: "cut", afterEvents: 2 })] }, async (pool) => {
      const answer = await answerIn(way, pool);
      expect(withoutIds(answer.body)).toBe(withoutIds(await directly(way, pool)));
      expect(await pool.requestLogged()).toMatchObject({ outcome: "truncated", attempts: 1 });
    });
  });

  it("that repeats a key in a late error shows it to nobody, however the bytes are cut", async () => {
    const script = [
      always({ kind: "late-error-event", afterEvents: 2, error: "suspended" }),
      always({ kind: "bytewise", bytes: 7 }),
    ];
    await onPool({ projects, script }, async (pool) => {
      const answer = await answerIn(way, pool);
      expect(answer.body).toContain("has been suspended");
      expect(answer.body).not.toContain("test-key-1");
      expect(answer.body).toContain("api_key:**********");
      await pool.requestLogged();
      expect(pool.logLines.join("")).not.toContain("test-key-1");
      expect(pool.keyView("test-key-1").standing).toMatchObject({ kind: "denied", reason: "suspended" });
    });
  });
});

describe("a stream reset inside an event", () => {
  const fault: Fault = { kind: "reset", afterEvents: 2, midEvent: true };

  it.each(["sse", "openai-stream"] as const)(
    "ends with one error event of its own (%s)",
    async (name: WayName) => {
      const way = wayNamed(name);
      await onPool({ script: [once(fault)] }, async (pool) => {
        const answer = await answerIn(way, pool);
        // The half event stays half: a client skips it or fails on it, and then finds the error.
        const last =
          answer.body
            .trimEnd()
            .split(/\r?\n\r?\n/)
            .at(-1) ?? "";
        expect(JSON.parse(last.replace(/^data: /, ""))).toEqual(BROKEN);
        expect(answer.body.split('"error"').length - 1).toBe(1);
        expectNoComment(answer.body);
        expect(pool.emulator.calls.total).toBe(1);
      });
    },
  );

  it("is cut inside an array's element, where nothing more can be said", async () => {
    const way = wayNamed("json-array");
    await onPool({ script: [once(fault)] }, async (pool) => {
      const response = await askIn(way, pool);
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow("terminated");
      expect(await pool.requestLogged()).toMatchObject({ outcome: "broken", attempts: 1 });
    });
  });
});

it("a large unary answer that breaks off is cut: its length was promised", async () => {
  const way = wayNamed("native");
  const models = [{ name: MODEL, events: 1, textBytes: 600_000 }];
  await onPool({ models, script: [once({ kind: "truncated-length" })] }, async (pool) => {
    const response = await askIn(way, pool);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow("terminated");
    expect(pool.emulator.calls.total).toBe(1);
    expect(await pool.requestLogged()).toMatchObject({ outcome: "broken", attempts: 1 });
  });
});
