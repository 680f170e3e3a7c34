import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startPool } from "./harness/pool.ts";
import { ask } from "./harness/requests.ts";

it("serves without a key: a clear 503, advice in the log, and a key file dropped in is used without a restart", async () => {
  await using pool = await startPool({ keyFile: "# no key yet\n" });
  const refused = await ask(pool.url);
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ error: { code: 503, status: "UNAVAILABLE" } });
  expect(refused.headers.get("retry-after")).not.toBeNull();
  expect(pool.logLines.join("")).toContain("put your Gemini API keys into a file in the keys folder");
  const unready = await fetch(`${pool.url}/readyz`);
  expect([unready.status, await unready.json()]).toEqual([503, { status: "no-key-ready" }]);
  expect((await fetch(`${pool.url}/healthz`)).status).toBe(200);

  await writeFile(join(pool.folder, "keys", "new.txt"), "test-key-1\n");
  await expect.poll(async () => (await fetch(`${pool.url}/readyz`)).status, { timeout: 8_000 }).toBe(200);
  expect((await ask(pool.url)).status).toBe(200);
});

it("stops using a key whose file is taken away", async () => {
  await using pool = await startPool({ keyFile: "test-key-1\n" });
  await writeFile(join(pool.folder, "keys", "other.txt"), "test-key-3\n");
  await expect.poll(() => pool.gateway.scheduler.readiness(Date.now()).keys, { timeout: 8_000 }).toBe(2);
  await rm(join(pool.folder, "keys", "pool.txt"));
  await expect.poll(() => pool.gateway.scheduler.readiness(Date.now()).keys, { timeout: 8_000 }).toBe(1);
  pool.emulator.calls.reset();
  for (let more = 0; more < 4; more += 1) expect((await ask(pool.url)).status).toBe(200);
  expect(pool.emulator.calls.byKey("test-key-1")).toBe(0);
});
