/** How often, how long and for whose sake a request is tried again: never so that an outage is multiplied. */
import type { Fault } from "gemini-emulator/fault-rules";
import type { ErrorName } from "gemini-emulator/named-errors";
import { expect, it } from "vitest";
import {
  always,
  answerIn,
  errorIn,
  expectServedOnce,
  NATIVE,
  once,
  onPool,
  retryAfterOf,
  soloProjects,
} from "./scene.ts";

const error = (name: ErrorName, retryDelaySeconds?: number): Fault => ({
  kind: "error",
  error: name,
  ...(retryDelaySeconds === undefined ? {} : { retryDelaySeconds }),
});

it("an upstream that resets every connection is a 503, and no key suffers", async () => {
  await onPool({ script: [always({ kind: "reset" })] }, async (pool) => {
    const answer = await answerIn(NATIVE, pool);
    expect(answer.status).toBe(503);
    expect(errorIn(NATIVE, answer).message).toBe("The Gemini API could not be reached.");
    expect(answer.attempts.every((outcome) => outcome === "network")).toBe(true);
    expect(pool.emulator.calls.total).toBe(5);
    pool.emulator.clearFaults();
    expectServedOnce(NATIVE, await answerIn(NATIVE, pool));
  });
});

it("an upstream that nobody listens for is a 503, within the attempts", async () => {
  await onPool({}, async (pool) => {
    await pool.emulator.close();
    const answer = await answerIn(NATIVE, pool);
    expect(answer.status).toBe(503);
    expect(answer.attempts).toEqual(Array.from({ length: 5 }, () => "network"));
  });
});

it("with one key a 503 is passed on after one call, at once, and the next request gets through", async () => {
  const flags = { "lease-max-wait": "10s" };
  await onPool({ projects: soloProjects(1), script: [once(error("overloaded"))], flags }, async (pool) => {
    const answer = await answerIn(NATIVE, pool);
    expect(answer).toMatchObject({ status: 503, attempts: ["overloaded"] });
    // No wait for the very key that failed: the request may not use it again.
    expect((await pool.requestLogged()).durationMs).toBeLessThan(1000);
    expectServedOnce(NATIVE, await answerIn(NATIVE, pool));
  });
});

it("a key about to return is waited for, and not longer than `lease.maxWait`", async () => {
  const projects = soloProjects(1);
  const script = [{ times: 1, fault: error("quota-minute", 0.5) }];
  await onPool({ projects, script, flags: { "lease-max-wait": "3s" } }, async (pool) => {
    expect((await answerIn(NATIVE, pool)).status).toBe(429);
    const waited = await answerIn(NATIVE, pool);
    expectServedOnce(NATIVE, waited);
    expect(waited.attempts).toEqual(["served"]);
  });
});

it("no attempt begins after `retry.time`", async () => {
  const flags = { "retry-time": "0s" };
  await onPool({ script: [always(error("overloaded"))], flags }, async (pool) => {
    expect(await answerIn(NATIVE, pool)).toMatchObject({ status: 503, attempts: ["overloaded"] });
  });
});

it("`retry.attempts` bounds the calls of one request", async () => {
  const flags = { "retry-attempts": 2 };
  await onPool({ script: [always(error("quota-minute"))], flags }, async (pool) => {
    const answer = await answerIn(NATIVE, pool);
    expect(answer).toMatchObject({ status: 429, attempts: ["quota-minute", "quota-minute"] });
    // A third project was not asked: coming back soon may help.
    expect(retryAfterOf(answer)).toBe(1);
  });
});

it("an outage is not multiplied: retries stay within `retry.ratio` and `retry.burst`", async () => {
  const requests = 60;
  const flags = { "retry-ratio": 0.1, "retry-burst": 4 };
  const projects = soloProjects(80);
  await onPool({ projects, script: [always(error("overloaded"))], flags }, async (pool) => {
    const answers = await Promise.all(Array.from({ length: requests }, () => answerIn(NATIVE, pool)));
    expect(answers.every(({ status }) => status === 503)).toBe(true);
    const retries = answers.reduce((sum, { attempts }) => sum + Math.max(attempts.length - 1, 0), 0);
    expect(retries).toBeGreaterThanOrEqual(4);
    expect(retries).toBeLessThanOrEqual(4 + requests * 0.1);
    expect(pool.emulator.calls.total).toBeLessThanOrEqual(requests + 4 + requests * 0.1);
  });
});
