/** A conversation goes on with its project when the gateway was restarted in between: stopped, or killed. */
import Database from "better-sqlite3";
import { startEmulator } from "gemini-emulator";
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { unpackBlock } from "../src/primary/affinity/conversation-block.ts";
import { fiveProjects, poolOfTest } from "./harness/five-projects.ts";
import type { Pool } from "./harness/pool.ts";
import { startProgram } from "./harness/program.ts";
import { AUTH, conversationsOf, projectsOf, STREAM, Talk } from "./harness/talk.ts";

const PROJECTS = fiveProjects(2);
const POLL = { timeout: 20_000, interval: 50 };

/** How many conversations the file holds. */
function storedIn(path: string): number {
  const database = new Database(path, { readonly: true });
  try {
    const rows = database.prepare<[], Buffer>("SELECT entries FROM conversations").pluck().all();
    return rows.reduce((sum, row) => sum + (unpackBlock(row)?.length ?? 0), 0);
  } finally {
    database.close();
  }
}

/** Something happens to the database while no gateway runs. */
async function restartAfter(pool: Pool, sql: string): Promise<void> {
  await pool.gateway.stop();
  const database = new Database(pool.config.database);
  database.exec(sql);
  database.close();
  await pool.start();
}

function keyFileOf(projects: readonly { readonly name: string; readonly keys: readonly string[] }[]): string {
  return projects.map(({ name, keys }) => `# project: ${name}\n${keys.join("\n")}\n`).join("");
}

it("stopped: every one, whether it is known by its beginning or by its name", async () => {
  const pool = await poolOfTest({ projects: PROJECTS, foreignSignatures: "refused", flags: AUTH });
  const talks = Array.from({ length: 12 }, (_, index) => {
    return new Talk(pool, `talk ${index}`, index % 2 === 0 ? {} : { "x-gateway-session": `talk ${index}` });
  });
  for (const talk of talks) expect(await talk.goOn()).toBe(200);
  expect(new Set(projectsOf(pool)).size).toBe(PROJECTS.length);
  for (let run = 1; run <= 2; run += 1) {
    await pool.restart();
    for (const talk of talks) expect(await talk.goOn(run === 1 ? STREAM : undefined)).toBe(200);
    expect(pool.emulator.calls.total).toBe(talks.length * (run + 1));
    expect(await conversationsOf(pool)).toEqual({ kept: talks.length, moved: 0 });
  }
  expect([pool.emulator.calls.foreignTokens, pool.emulator.calls.foreignHits]).toEqual([0, 0]);
  expect(storedIn(pool.config.database)).toBe(talks.length);
  await pool.endsInBalance();
});

it("killed: every one that was begun two seconds before", async () => {
  await using emulator = await startEmulator({ projects: PROJECTS, foreignSignatures: "refused" });
  const folder = await mkdtemp(join(tmpdir(), "gateway-program-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const options = { folder, files: { "keys/a.txt": keyFileOf(PROJECTS) }, flags: ["--probe", "off"] };
  const reached = { url: "" };
  const talks = Array.from({ length: 5 }, (_, index) => new Talk(reached, `talk ${index}`));
  {
    await using program = await startProgram(emulator.url, options);
    reached.url = program.url;
    for (const talk of talks) expect(await talk.goOn()).toBe(200);
    await expect.poll(() => storedIn(join(folder, "gateway.db")), POLL).toBe(talks.length);
    program.process.kill("SIGKILL");
    await once(program.process, "exit");
  }
  await using program = await startProgram(emulator.url, options);
  reached.url = program.url;
  for (const talk of talks) expect(await talk.goOn()).toBe(200);
  expect(emulator.calls.total).toBe(2 * talks.length);
  expect(emulator.calls.foreignHits).toBe(0);
});

it("with a database in which they are damaged: they go on like new ones, and the log says so", async () => {
  const pool = await poolOfTest({ projects: PROJECTS, flags: AUTH });
  const talk = new Talk(pool, "a talk");
  await talk.goOn();
  const other = "entries = zeroblob(length(entries))";
  await restartAfter(
    pool,
    `UPDATE conversations SET ${other} WHERE block = (SELECT min(block) FROM conversations)`,
  );
  expect(pool.logLines.join("")).toContain("conversations in the database are damaged");
  expect(await talk.goOn()).toBe(200);
  expect(await talk.goOn()).toBe(200);
  expect(await conversationsOf(pool)).toEqual({ kept: 1, moved: 0 });
  await pool.restart();
  expect(await talk.goOn()).toBe(200);
  expect(await conversationsOf(pool)).toEqual({ kept: 1, moved: 0 });
});

/** In one step, as a careful editor does it. */
async function replaceKeys({ config, folder }: Pool, text: string): Promise<void> {
  await writeFile(join(folder, "pool.new"), text);
  await rename(join(folder, "pool.new"), join(config.keysDir, "pool.txt"));
}

/** Resolves when the pool has so many keys: a file that has just changed takes keys away a little later. */
async function keysAre({ gateway }: Pool, count: number): Promise<void> {
  await expect.poll(() => gateway.scheduler.readiness(Date.now()).keys, POLL).toBe(count);
}

it("without the key that served it: by another of its project, and anywhere when its project is gone", async () => {
  const pool = await poolOfTest({ projects: PROJECTS, foreignSignatures: "refused", flags: AUTH });
  const talks = Array.from(
    { length: 2 * PROJECTS.length + 1 },
    (_, index) => new Talk(pool, `talk ${index}`),
  );
  for (const talk of talks) expect(await talk.goOn()).toBe(200);
  // More conversations than keys: one key has begun two.
  const calls = pool.emulator.calls.recent();
  const later = calls.findIndex(({ key }, index) =>
    calls.slice(0, index).some((before) => before.key === key),
  );
  const { key = "", project = "" } = calls[later] ?? {};
  const [first, second] = [talks[calls.findIndex((call) => call.key === key)], talks[later]];
  await replaceKeys(
    pool,
    keyFileOf(PROJECTS.map(({ name, keys }) => ({ name, keys: keys.filter((each) => each !== key) }))),
  );
  await keysAre(pool, 9);
  expect(await first?.goOn()).toBe(200);
  await pool.restart();
  expect(await second?.goOn()).toBe(200);
  expect(projectsOf(pool).slice(-2)).toEqual([project, project]);
  expect(pool.emulator.calls.total).toBe(talks.length + 2);
  expect(await conversationsOf(pool)).toEqual({ kept: 1, moved: 0 });

  await replaceKeys(pool, keyFileOf(PROJECTS.filter(({ name }) => name !== project)));
  await keysAre(pool, 8);
  await pool.restart();
  // Its signatures are nobody's any more, which is the truth; nothing is said to have moved.
  expect(await first?.goOn()).toBe(400);
  expect(projectsOf(pool).at(-1)).not.toBe(project);
  expect(await conversationsOf(pool)).toEqual({ kept: 0, moved: 0 });
  const left = calls.filter((call) => call.project !== project).length;
  await expect.poll(() => storedIn(pool.config.database), POLL).toBe(left);
});
