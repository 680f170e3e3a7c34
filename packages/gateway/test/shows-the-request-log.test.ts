/** `gemini-gateway logs` as operators meet it: the real program beside a running gateway, and on its file alone. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { fingerprint } from "../src/primary/keys/fingerprint.ts";
import { startPool, type Pool } from "./harness/pool.ts";
import { ask, MODEL } from "./harness/requests.ts";

const PROGRAM = fileURLToPath(new URL("../bin/gemini-gateway.js", import.meta.url));
const FLAGS = { "auth-key": "alice=s3cret-of-alice", workers: 1 };
const ALICE = { "x-goog-api-key": "s3cret-of-alice" };

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function logs(pool: Pool, ...flags: string[]): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const args = [PROGRAM, "logs", "--database", pool.config.database, ...flags];
  execFile(process.execPath, args, { cwd: pool.folder }, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
  });
  return promise;
}

/** The models of the rows that pass. */
async function modelsOf(pool: Pool, ...flags: string[]): Promise<readonly string[]> {
  const { stdout } = await logs(pool, "--json", ...flags);
  return linesOf(stdout).map((line) => (JSON.parse(line) as { readonly model: string }).model);
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** One request after the other, so that their order is known; resolves when their rows are in the file. */
async function send(pool: Pool, models: readonly string[], headers = {}): Promise<void> {
  for (const model of models) {
    await (await ask(pool.url, { path: `/v1beta/models/${model}:generateContent`, headers })).text();
  }
  const last = models.at(-1) ?? "";
  await expect.poll(() => modelsOf(pool, "--limit", "1"), { timeout: 10_000, interval: 200 }).toEqual([last]);
}

it("lists requests by key, model, status, outcome, client and time, and holds no secret", async () => {
  await using pool = await startPool({
    projects: [{ name: "alpha", keys: ["test-key-1"] }],
    flags: FLAGS,
  });
  await send(pool, [MODEL, "made-up"]);
  await send(pool, ["gemini-2.5-pro"], ALICE);
  const key = fingerprint("test-key-1");
  expect(await modelsOf(pool)).toEqual([MODEL, "made-up", "gemini-2.5-pro"]);
  expect(await modelsOf(pool, "--key", key)).toHaveLength(3);
  expect(await modelsOf(pool, "--model", MODEL)).toEqual([MODEL]);
  expect(await modelsOf(pool, "--status", "404")).toEqual(["made-up"]);
  expect(await modelsOf(pool, "--status", "2xx")).toEqual([MODEL, "gemini-2.5-pro"]);
  expect(await modelsOf(pool, "--outcome", "caller-fault")).toEqual(["made-up"]);
  expect(await modelsOf(pool, "--client", "alice")).toEqual(["gemini-2.5-pro"]);
  expect(await modelsOf(pool, "--client", "anonymous", "--status", "2xx")).toEqual([MODEL]);
  expect(await modelsOf(pool, "--since", "1h", "--limit", "2")).toEqual(["made-up", "gemini-2.5-pro"]);
  const table = await logs(pool);
  expect(table.stdout).toMatch(new RegExp(`^TIME.*\\n.* 200 +served +${MODEL} +${key} +1 .* anonymous\\n`));
  const unknown = await logs(pool, "--key", "k-abcdefghij23");
  expect(unknown).toMatchObject({ code: 1, stdout: "" });
  expect(unknown.stderr).toContain("has no key k-abcdefghij23");
  expect(table.stdout + (await logs(pool, "--json")).stdout).not.toMatch(/test-key|s3cret/);
});

it("reads the file alone when no gateway runs, and says so when there is none", async () => {
  await using pool = await startPool({ flags: FLAGS });
  await send(pool, [MODEL]);
  await pool.gateway.stop();
  expect(await modelsOf(pool)).toEqual([MODEL]);
  await rm(pool.config.database);
  const missing = await logs(pool);
  expect(missing).toMatchObject({ code: 1, stdout: "" });
  expect(missing.stderr).toContain("There is no database at");
});

interface Follower extends AsyncDisposable {
  readonly process: ChildProcess;
  /** The next line it prints. */
  next(): Promise<string>;
}

function follow(pool: Pool, ...flags: string[]): Follower {
  const args = [PROGRAM, "logs", "--follow", "--json", "--database", pool.config.database, ...flags];
  const child = spawn(process.execPath, args, { cwd: pool.folder, stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    next: async () => String((await lines.next()).value),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

it("follows: shows each new request once, those that pass only, and ends at Ctrl-C", async () => {
  await using pool = await startPool({ flags: FLAGS });
  await send(pool, [MODEL]);
  await using all = follow(pool);
  await using refused = follow(pool, "--status", "404");
  // It has begun.
  expect(JSON.parse(await all.next())).toMatchObject({ model: MODEL });
  await send(pool, ["made-up", MODEL, "made-up-too"]);
  expect(JSON.parse(await all.next())).toMatchObject({
    model: "made-up",
    status: 404,
    outcome: "caller-fault",
  });
  expect(JSON.parse(await all.next())).toMatchObject({ model: MODEL });
  expect(JSON.parse(await all.next())).toMatchObject({ model: "made-up-too" });
  expect(JSON.parse(await refused.next())).toMatchObject({ model: "made-up" });
  expect(JSON.parse(await refused.next())).toMatchObject({ model: "made-up-too" });
  const exited = once(all.process, "exit");
  all.process.kill("SIGINT");
  expect(await exited).toEqual([0, null]);
});
