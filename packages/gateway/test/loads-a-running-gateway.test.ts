/** `gemini-gateway bench`: operators load their own gateway and are told how it fared. */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { startEmulator } from "gemini-emulator";
import { describe, expect, test } from "vitest";
import { INHERITED } from "./harness/environment.ts";
import { PROGRAM, startProgram } from "./harness/program.ts";
import { startRawUpstream } from "./harness/raw-upstream.ts";

const SECRET = "bench-secret";
const SMALL = ["--connections", "20", "--json"];
const SHORT = ["--duration", "1s", ...SMALL];

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const options = { env: { ...INHERITED, ...env } };
  execFile(process.execPath, [PROGRAM, "bench", ...args], options, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
  });
  return promise;
}

describe("gemini-gateway bench", () => {
  test.each(["count", "generate", "stream"])(
    "asks to %s and tells rate, statuses and latencies",
    async (ask) => {
      await using emulator = await startEmulator();
      await using gateway = await startProgram(emulator.url, { env: { AUTH_KEY: SECRET } });
      const { code, stdout, stderr } = await bench([gateway.url, "--ask", ask, ...SHORT], {
        AUTH_KEY: SECRET,
      });
      const report = JSON.parse(stdout) as { answers: Record<string, number>; failures: object };
      expect(code).toBe(0);
      expect(Object.keys(report.answers)).toEqual(["200"]);
      expect(report.failures).toEqual({});
      expect(report).toMatchObject({
        requestsPerSecond: expect.closeTo(report.answers["200"] ?? 0, -3),
        answerMs: { p50: expect.any(Number), "p99.9": expect.any(Number) },
      });
      // One line, no warning of the runtime, and never the secret.
      expect(stderr).toMatch(
        /^Asking http:\/\/127\.0\.0\.1:\d+\/v1beta\/models\/\S+ over 20 connections for 1 s\.\n$/,
      );
      expect(stdout).not.toContain(SECRET);
    },
  );

  test("gives up long before a gateway that does not know it bans its address", async () => {
    await using emulator = await startEmulator();
    await using gateway = await startProgram(emulator.url);
    // One after the other, so that no answer overtakes another: 40 of a minute are served, and a hundred refusals in a row are enough.
    const once = ["--connections", "1", "--json", "--duration", "60s"];
    const { code, stdout, stderr } = await bench([gateway.url, ...once]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      isGivenUp: true,
      answers: { 200: 40, 429: 100 },
      failures: {},
    });
    expect(stderr).toContain("No auth key is given");
  });

  test("waits for what it had asked when it gives up", async () => {
    // The first answer comes well after the hundredth refusal, with which the load gives up.
    await using slow = await startRawUpstream(async ({ socket }) => {
      const isFirst = slow.calls.length === 1;
      if (isFirst) await sleep(500);
      socket.write(`HTTP/1.1 ${isFirst ? "200 OK" : "429 Too Many Requests"}\r\ncontent-length: 0\r\n\r\n`);
    });
    const { stdout } = await bench([slow.url, "--connections", "2", "--json", "--duration", "60s"]);
    expect(JSON.parse(stdout)).toMatchObject({
      isGivenUp: true,
      answers: { 200: 1, 429: 100 },
      failures: {},
    });
    expect(slow.calls).toHaveLength(101);
  });

  test("fails when nothing was served", async () => {
    await using emulator = await startEmulator();
    await using gateway = await startProgram(emulator.url, { flags: ["--anonymous", "denied"] });
    const { code, stdout } = await bench([gateway.url, ...SHORT]);
    expect(code).toBe(1);
    expect((JSON.parse(stdout) as { answers: object }).answers).not.toHaveProperty("200");
  });

  test("says that nothing listens", async () => {
    const { code, stdout } = await bench(["http://127.0.0.1:1", ...SHORT]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ answers: {}, failures: { ECONNREFUSED: expect.any(Number) } });
  });

  test.each([
    [["--ask", "everything"], "--ask must be one of count, generate, stream"],
    [["--connections", "0"], "--connections must be a whole number from 1 to 1000"],
    [["--duration", "2 days"], "--duration must be a time from 1s to 1h"],
    [["ftp://127.0.0.1"], "bench takes a URL such as"],
    [["http://user:secret@127.0.0.1"], "bench takes a URL such as"],
    [["http://127.0.0.1", "http://127.0.0.2"], "bench takes one URL"],
  ])("refuses %j with one sentence that repeats no secret", async (args, sentence) => {
    const { code, stdout, stderr } = await bench(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).not.toContain("secret");
  });
});
