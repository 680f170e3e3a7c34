/** `keys test`, `keys explain` and `keys enable|disable|reset`, through a running gateway and without one. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { explainKeyOf, wishKeys } from "../src/control/key-desk-commands.ts";
import { fingerprint } from "../src/primary/keys/fingerprint.ts";
import { startPool, type Pool } from "./harness/pool.ts";
import { ask, MODEL } from "./harness/requests.ts";

const PROGRAM = join(import.meta.dirname, "../bin/gemini-gateway.js");
const [GOOD, DEAD] = ["test-key-good", "test-key-dead"];
const PROJECTS = [
  { name: "good", keys: [GOOD] },
  { name: "bad", keys: [DEAD], keyStates: { [DEAD]: "invalid" } },
] as const;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function command(pool: Pool, ...words: readonly string[]): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const { database, keysDir } = pool.config;
  const flags = ["--database", database, "--keys-dir", keysDir];
  execFile(process.execPath, [PROGRAM, "keys", ...words, ...flags], (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
  });
  return promise;
}

it("the running gateway tests its keys on command, tells each result, and ends with a summary", async () => {
  await using pool = await startPool({ projects: PROJECTS, flags: { models: MODEL } });
  const { code, stdout, stderr } = await command(pool, "test");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain(`${fingerprint(GOOD)} ${MODEL}: count, served, 200`);
  expect(stdout).toContain(`${fingerprint(DEAD)} ${MODEL}: count, key-dead, 400, API_KEY_INVALID`);
  expect(stdout).toMatch(/MODEL +OUTCOME +KEYS/);
  expect(stdout).toContain("2 tests made, 0 not needed or not possible; keys that serve: 1.");
  expect(stdout).not.toContain("test-key");
  expect(pool.keyView(DEAD).health.kind).toBe("dead");
  expect(pool.emulator.calls.recent().map(({ operation }) => operation)).not.toContain("generateContent");

  const again = await command(pool, "test");
  expect(again.stdout).toContain(`${fingerprint(DEAD)} (key itself): list, key-dead, 400`);
  expect(again.stdout).toContain("1 test made, 1 not needed or not possible; keys that serve: 1.");
  const pointed = await command(pool, "test", "--key", fingerprint(DEAD));
  expect(pointed.code).toBe(1);
});

it("without a gateway the command tests by itself, and what it learns is there at the next start", async () => {
  await using pool = await startPool({ projects: PROJECTS, flags: { models: MODEL } });
  await pool.gateway.stop();
  const upstream = ["--upstream", pool.emulator.url, "--models", MODEL];
  const { code, stdout, stderr } = await command(pool, "test", "--all", ...upstream);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("2 tests made");
  const explained = await explainKeyOf(pool.config.database, fingerprint(DEAD));
  expect(explained.standings[0]).toMatchObject({
    of: "key",
    isIn: false,
    state: "dead",
    reason: "invalid",
    againBy: "test",
  });
});

it("explains a key in plain words: state, evidence, and when it is tried again", async () => {
  await using pool = await startPool({ projects: [PROJECTS[1]], flags: { models: MODEL, probe: "auto" } });
  await ask(pool.url);
  const { code, stdout } = await command(pool, "explain", fingerprint(DEAD));
  expect(code).toBe(0);
  expect(stdout).toContain("key: out: Google refuses it (it is not valid), since");
  expect(stdout).toContain("Evidence: status 400, API_KEY_INVALID");
  expect(stdout).toMatch(/Tested again (?:in [345]m|in \d+s|now)/);
  expect(stdout).not.toContain(DEAD);
});

it("a key that is disabled serves nobody from then on, whatever a test says, until it is enabled", async () => {
  await using pool = await startPool({ projects: [PROJECTS[0]], flags: { models: MODEL } });
  expect((await ask(pool.url)).status).toBe(200);
  const disabled = await command(pool, "disable", fingerprint(GOOD), "--note", "for the holidays");
  expect(disabled).toMatchObject({ code: 0, stdout: "1 key disabled.\n" });
  expect((await ask(pool.url)).status).toBe(503);
  const tested = await command(pool, "test", "--all");
  expect(tested.code).toBe(1);
  expect(tested.stdout).toContain("Not tested because disabled: 1 key.");
  expect((await ask(pool.url)).status).toBe(503);
  await pool.restart();
  expect((await ask(pool.url)).status).toBe(503);
  expect((await command(pool, "explain", fingerprint(GOOD))).stdout).toContain('"for the holidays"');
  expect(await command(pool, "enable", "--all")).toMatchObject({ code: 0, stdout: "1 key enabled.\n" });
  expect((await ask(pool.url)).status).toBe(200);
});

it("reset forgets what was observed, in a running gateway and without one", async () => {
  await using pool = await startPool({ projects: [PROJECTS[1]], flags: { models: MODEL } });
  await ask(pool.url);
  expect(pool.keyView(DEAD).health.kind).toBe("dead");
  expect((await command(pool, "reset", fingerprint(DEAD))).code).toBe(0);
  expect(pool.keyView(DEAD).health.kind).toBe("untested");
  await ask(pool.url);
  await pool.gateway.stop();
  await wishKeys(pool.config.database, { wish: "reset", fingerprints: [], all: true, note: null });
  const { standings } = await explainKeyOf(pool.config.database, fingerprint(DEAD));
  expect(standings).toMatchObject([{ of: "key", state: "untested" }]);
});

it("refuses what is no fingerprint without repeating it, and says which fingerprints name no key", async () => {
  await using pool = await startPool();
  const secret = await command(pool, "disable", "test-key-1");
  expect(secret.code).toBe(2);
  expect(secret.stderr).not.toContain("test-key-1");
  const unknown = await command(pool, "disable", "k-aaaaaaaaaaaa");
  expect(unknown).toMatchObject({
    code: 1,
    stdout: "0 keys disabled.\nNo key has the fingerprint k-aaaaaaaaaaaa.\n",
  });
  expect((await command(pool, "reset")).code).toBe(2);
});
