import { startEmulator } from "gemini-emulator";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ConfigError } from "../src/config/config-error.ts";
import { startPool } from "./harness/pool.ts";
import { startProgram } from "./harness/program.ts";
import { ask, askStream } from "./harness/requests.ts";

const RELOADED = "configuration reloaded";
const REFUSED = "configuration refused as a whole; the one in effect stays";

it("takes a changed file over on SIGHUP, in every thread, while flags and environment stay", async () => {
  await using emulator = await startEmulator();
  await using program = await startProgram(emulator.url, {
    flags: ["--config", "gw.yaml", "--retry-attempts", "3"],
    env: { GEMINI_GATEWAY_LOG_LEVEL: "info" },
    files: { "gw.yaml": "anonymous: limited\n" },
  });
  expect((await ask(program.url)).status).toBe(200);
  writeFileSync(
    join(program.folder, "gw.yaml"),
    "anonymous: denied\nauthKey: alice=s3cret-of-alice\nlogLevel: silent\nretry: {attempts: 9, time: 5s}\n",
  );
  program.process.kill("SIGHUP");
  const line = await program.logged(RELOADED);
  expect(line["options"]).toEqual(["authKey", "anonymous", "retry.time"]);
  // Sixteen connections, so that both workers are asked.
  const askAll = (key: string): Promise<number[]> =>
    Promise.all(
      Array.from({ length: 16 }, async () => {
        const headers = { "x-goog-api-key": key, connection: "close" };
        return (await ask(program.url, { headers })).status;
      }),
    );
  expect(new Set(await askAll("client"))).toEqual(new Set([401]));
  expect(new Set(await askAll("s3cret-of-alice"))).toEqual(new Set([200]));
});

it("notices a file that was replaced, without a signal", async () => {
  await using emulator = await startEmulator();
  await using program = await startProgram(emulator.url, {
    flags: ["--config", "gw.yaml"],
    files: { "gw.yaml": "requestLog: true\n", "next.yaml": "anonymous: denied\n" },
  });
  renameSync(join(program.folder, "next.yaml"), join(program.folder, "gw.yaml"));
  expect(await program.logged(RELOADED)).toMatchObject({ cause: "changed file", options: ["anonymous"] });
  expect((await ask(program.url)).status).toBe(401);
});

it.each([
  [
    "a value that is not acceptable",
    "anonymous: denied\nretry: {attempts: 99}\n",
    "retry.attempts in gw.yaml",
  ],
  ["an option that does not exist", "anonymous: denied\nretrys: 5\n", "retrys in gw.yaml is not an option"],
  ["a file that is no YAML", "anonymous: [denied\n", "is not valid YAML"],
  [
    "an option that needs a restart",
    "anonymous: denied\nupstreamHttp2: true\n",
    "upstreamHttp2 cannot change",
  ],
])("refuses the whole change for %s, says why and serves on as before", async (_what, text, reason) => {
  await using emulator = await startEmulator();
  await using program = await startProgram(emulator.url, {
    flags: ["--config", "gw.yaml"],
    files: { "gw.yaml": "anonymous: limited\n" },
  });
  writeFileSync(join(program.folder, "gw.yaml"), text);
  program.process.kill("SIGHUP");
  const line = await program.logged(REFUSED);
  expect(line["reason"]).toContain(reason);
  expect((await ask(program.url)).status).toBe(200);
  // Once mended, it is taken over.
  writeFileSync(join(program.folder, "gw.yaml"), "anonymous: denied\n");
  program.process.kill("SIGHUP");
  await program.logged(RELOADED);
  expect((await ask(program.url)).status).toBe(401);
});

/** Threads of a busy machine may take their time. */
const PATIENT = { timeout: 10_000 };

const failed = (): number => 0;

it("leaves requests under way with what they began with", async () => {
  await using pool = await startPool({ flags: { "timeouts-idle": "60s" } });
  pool.emulator.fault({ fault: { kind: "stall", afterEvents: 1 } });
  const stream = await askStream(pool.url);
  const changed = pool.gateway.reconfigure({ ...pool.config, anonymous: "denied" });
  expect(changed).toEqual(["anonymous"]);
  await expect.poll(async () => (await ask(pool.url)).status, PATIENT).toBe(401);
  pool.emulator.clearFaults();
  expect(await stream.text()).toContain('"finishReason": "STOP"');
});

it("gives a worker that replaces a dead one the configuration in effect", async () => {
  await using pool = await startPool({ flags: { workers: 1 } });
  pool.gateway.reconfigure({ ...pool.config, anonymous: "denied" });
  const [worker] = pool.gateway.supervisor.views(Date.now());
  await pool.gateway.supervisor.kill(worker!.holder);
  await expect.poll(() => ask(pool.url).then(({ status }) => status, failed), PATIENT).toBe(401);
});

it("changes nothing at all when one changed option needs a restart", async () => {
  await using pool = await startPool();
  expect(() => pool.gateway.reconfigure({ ...pool.config, anonymous: "denied", workers: 3 })).toThrow(
    new ConfigError("workers cannot change while the gateway runs: restart it"),
  );
  expect((await ask(pool.url)).status).toBe(200);
});
