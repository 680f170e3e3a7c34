/**
 * When no key can serve: the right status, Google's error shape in the client's dialect, and an honest moment to come
 * back, in the header and in the body. Also that a key is waited for only when that can help.
 */
import { nextPacificMidnightMs } from "@gemini-gateway/gemini/pacific-midnight";
import type { Fault } from "gemini-emulator/fault-rules";
import type { ErrorName } from "gemini-emulator/named-errors";
import { describe, expect, it } from "vitest";
import {
  always,
  answerIn,
  errorIn,
  keyOfCall,
  laneOf,
  NATIVE,
  onPool,
  retryAfterOf,
  retryInfoOf,
  soloProjects,
  WAYS,
} from "./scene.ts";

const error = (name: ErrorName, retryDelaySeconds?: number): Fault => ({
  kind: "error",
  error: name,
  ...(retryDelaySeconds === undefined ? {} : { retryDelaySeconds }),
});

const GENERATION = "gemini-2.5-flash";
const HOUR_SECONDS = 3600;

function secondsUntil(ms: number): number {
  return (ms - Date.now()) / 1000;
}

describe.each(WAYS)("asked by $name", (way) => {
  it("an exhausted minute everywhere is a 429 until the first project returns", async () => {
    const script = [
      { match: { key: "test-key-1" }, fault: error("quota-minute", 40) },
      { match: { key: "test-key-2" }, fault: error("quota-minute", 20) },
      { match: { key: "test-key-3" }, fault: error("quota-minute", 50) },
    ];
    await onPool({ script }, async (pool) => {
      const tried = await answerIn(way, pool);
      expect(tried.attempts).toEqual(["quota-minute", "quota-minute", "quota-minute"]);
      const untried = await answerIn(way, pool);
      expect(untried.attempts).toEqual([]);
      for (const answer of [tried, untried]) {
        const { status, message } = errorIn(way, answer);
        expect({ http: answer.status, status }).toEqual({ http: 429, status: "RESOURCE_EXHAUSTED" });
        expect(message).not.toMatch(/test-key|current quota/);
        // RetryInfo and a second more, of the project that returns first.
        expect(retryAfterOf(answer)).toBeGreaterThanOrEqual(20);
        expect(retryAfterOf(answer)).toBeLessThanOrEqual(21);
        expect(retryInfoOf(errorIn(way, answer))).toBe(retryAfterOf(answer));
      }
      expect(pool.emulator.calls.total).toBe(3);
    });
  });

  it("an overload everywhere is passed on as the upstream told it, each key asked once", async () => {
    await onPool({ script: [always(error("overloaded"))] }, async (pool) => {
      const answer = await answerIn(way, pool);
      expect(answer).toMatchObject({ status: 503, attempts: ["overloaded", "overloaded", "overloaded"] });
      expect(errorIn(way, answer).message).toBe("The model is overloaded. Please try again later.");
      expect(retryAfterOf(answer)).toBeGreaterThanOrEqual(1);
      expect(retryAfterOf(answer)).toBeLessThanOrEqual(2);
      for (const key of ["test-key-1", "test-key-2", "test-key-3"])
        expect(pool.emulator.calls.byKey(key)).toBe(1);
    });
  });

  it.each<{ name: string; fault: Fault }>([
    { name: "a page of HTML", fault: { kind: "html" } },
    { name: "an empty 502", fault: { kind: "custom", status: 502, body: "" } },
  ])("an overload told by $name is told in Google's shape", async ({ fault }) => {
    await onPool({ script: [always(fault)] }, async (pool) => {
      const answer = await answerIn(way, pool);
      expect(answer).toMatchObject({ status: 503, attempts: ["overloaded", "overloaded", "overloaded"] });
      expect(errorIn(way, answer)).toMatchObject({ status: "UNAVAILABLE" });
      expect(retryInfoOf(errorIn(way, answer))).toBe(retryAfterOf(answer));
    });
  });

  it("a suspended key that echoes itself shows nowhere, and no key left is a 503", async () => {
    await onPool({ script: [always({ kind: "suspended-echo" })] }, async (pool) => {
      const tried = await answerIn(way, pool);
      const untried = await answerIn(way, pool);
      for (const answer of [tried, untried]) {
        const { status } = errorIn(way, answer);
        expect({ http: answer.status, status }).toEqual({ http: 503, status: "UNAVAILABLE" });
        expect(answer.body + JSON.stringify([...answer.headers])).not.toContain("test-key");
      }
      await pool.requestLogged(({ attempts }) => attempts === 0);
      expect(pool.logLines.join("")).not.toContain("test-key");
    });
  });
});

it("an exhausted day everywhere is a 429 until Pacific midnight, whatever RetryInfo says", async () => {
  await onPool({ script: [always(error("quota-day", 58))] }, async (pool) => {
    const answer = await answerIn(NATIVE, pool);
    expect(answer.status).toBe(429);
    const midnightMs = nextPacificMidnightMs(Date.now());
    expect(laneOf(pool, keyOfCall(pool, 0))).toMatchObject({ kind: "quota-day", untilMs: midnightMs });
    expect(pool.gateway.scheduler.denialFor(GENERATION, Date.now())).toEqual({
      reason: "quota",
      retryAtMs: midnightMs,
    });
    const later = await answerIn(NATIVE, pool);
    for (const each of [answer, later]) {
      expect(retryAfterOf(each)).toBeGreaterThanOrEqual(Math.floor(secondsUntil(midnightMs)));
      expect(retryAfterOf(each)).toBeLessThanOrEqual(25 * HOUR_SECONDS);
      expect(retryInfoOf(errorIn(NATIVE, each))).toBe(retryAfterOf(each));
    }
  });
});

it("a minute returns before a day: the nearest return is told", async () => {
  const script = [
    { match: { key: "test-key-1" }, fault: error("quota-minute", 30) },
    always(error("quota-day", 2)),
  ];
  await onPool({ script }, async (pool) => {
    await answerIn(NATIVE, pool);
    expect(retryAfterOf(await answerIn(NATIVE, pool))).toBeGreaterThanOrEqual(30);
    expect(retryAfterOf(await answerIn(NATIVE, pool))).toBeLessThanOrEqual(31);
  });
});

it.each<{ name: string; fault: Fault; text: RegExp }>([
  { name: "dead keys", fault: error("api-key-invalid"), text: /No API key of the gateway is in service/ },
  { name: "denied projects", fault: error("denied"), text: /No API key of the gateway is in service/ },
  {
    name: "misconfigured keys",
    fault: error("service-disabled"),
    text: /No API key of the gateway is in service/,
  },
  { name: "unpaid projects", fault: error("credits-depleted"), text: /credit/ },
])("only $name is a 503 that says so and promises nothing soon", async ({ fault, text }) => {
  await onPool({ script: [always(fault)] }, async (pool) => {
    const tried = await answerIn(NATIVE, pool);
    const untried = await answerIn(NATIVE, pool);
    expect(untried.attempts).toEqual([]);
    for (const answer of [tried, untried]) {
      expect(answer.status).toBe(503);
      expect(errorIn(NATIVE, answer).message).toMatch(text);
      expect(retryAfterOf(answer)).toBeGreaterThan(HOUR_SECONDS);
    }
    expect(pool.emulator.calls.total).toBe(3);
  });
});

it.each<{ name: string; fault: Fault; status: number; body: RegExp }>([
  { name: "403", fault: error("model-forbidden"), status: 403, body: /does not have permission/ },
  { name: "404", fault: error("model-retired"), status: 404, body: /no longer available to new users/ },
  { name: "limit: 0", fault: error("quota-zero"), status: 429, body: /limit: 0/ },
])(
  "a model not open to two projects ($name) is told as the upstream told it",
  async ({ fault, status, body }) => {
    await onPool({ script: [always(fault)] }, async (pool) => {
      const answer = await answerIn(NATIVE, pool);
      expect(answer).toMatchObject({ status, attempts: ["model-unavailable", "model-unavailable"] });
      expect(answer.body).toMatch(body);
      // Coming back soon would change nothing.
      expect(answer.headers.get("retry-after")).toBeNull();
      expect(pool.emulator.calls.total).toBe(2);
    });
  },
);

it("an empty answer of every key is passed on, for it is all the upstream says", async () => {
  await onPool({ script: [always({ kind: "stop-without-parts" })] }, async (pool) => {
    const answer = await answerIn(NATIVE, pool);
    expect(answer).toMatchObject({ status: 200, attempts: ["empty", "empty", "empty"] });
    expect(JSON.parse(answer.body)).toMatchObject({ candidates: [{ finishReason: "STOP" }] });
  });
});

describe.each(WAYS.filter(({ streams }) => streams))("a stream by $name that never begins", (way) => {
  it.each<{ name: string; fault: Fault; status: number; text: RegExp }>([
    { name: "not one byte", fault: { kind: "empty-stream" }, status: 503, text: /answered with nothing/ },
    { name: "broken JSON", fault: { kind: "invalid-json" }, status: 503, text: /broke off/ },
    {
      name: "an error first",
      fault: { kind: "late-error-event", afterEvents: 0 },
      status: 503,
      text: /overloaded/,
    },
    {
      name: "a raw error",
      fault: { kind: "raw-json-tail", afterEvents: 0 },
      status: 503,
      text: /high demand/,
    },
  ])("is an error with its own status: $name", async ({ fault, status, text }) => {
    await onPool({ script: [always(fault)] }, async (pool) => {
      const answer = await answerIn(way, pool);
      expect(answer.status).toBe(status);
      expect(errorIn(way, answer).message).toMatch(text);
      expect(retryAfterOf(answer)).toBeGreaterThanOrEqual(1);
      expect(pool.emulator.calls.total).toBe(3);
    });
  });
});

it.each<ErrorName>(["internal", "deadline", "resource-exhausted"])(
  "%s everywhere is passed on with a moment to come back",
  async (name) => {
    await onPool({ script: [always(error(name))] }, async (pool) => {
      const answer = await answerIn(NATIVE, pool);
      expect(errorIn(NATIVE, answer).code).toBe(answer.status);
      expect(retryAfterOf(answer)).toBeGreaterThanOrEqual(1);
      expect(pool.emulator.calls.total).toBe(3);
    });
  },
);

it("a project whose minute is exhausted is better news than one that may not use the model", async () => {
  const script = [
    { match: { key: "test-key-1" }, fault: error("quota-minute", 30) },
    { match: { key: "test-key-2" }, fault: error("model-forbidden") },
  ];
  await onPool({ projects: soloProjects(2), script }, async (pool) => {
    const answer = await answerIn(NATIVE, pool);
    expect(answer.status).toBe(429);
    expect(retryAfterOf(answer)).toBeGreaterThanOrEqual(30);
  });
});
