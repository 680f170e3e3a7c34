/** The commands on bans and clients as operators meet them: the real program, with and without a running gateway. */
import { startEmulator } from "gemini-emulator";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { INHERITED } from "./harness/environment.ts";
import { PROGRAM, startProgram } from "./harness/program.ts";
import { ask } from "./harness/requests.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "gateway-guard-"));
const POLL = { timeout: 8_000, interval: 50 };

afterAll(() => rmSync(FOLDER, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(line: string, cwd = FOLDER): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const options = { cwd, env: INHERITED };
  execFile(process.execPath, [PROGRAM, ...line.split(" ")], options, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
  });
  return promise;
}

it("keeps bans in the database while no gateway runs", async () => {
  expect(await run("bans list")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("there is no database"),
  });
  const added = await run("bans add 203.0.113.7 10.1.2.3/8 --duration 12h --note noisy");
  expect(added).toMatchObject({
    code: 0,
    stderr: "",
    stdout: expect.stringContaining("10.0.0.0/8 is banned"),
  });
  const listed = await run("bans list");
  expect(listed.stdout).toMatch(/^203\.0\.113\.7 +\ds ago +in 11h 59m +operator +noisy$/m);
  expect(await run("bans remove 203.0.113.7 1.1.1.1")).toMatchObject({ code: 1 });
  const left = JSON.parse((await run("bans list --json")).stdout) as readonly { readonly network: string }[];
  expect(left.map(({ network }) => network)).toEqual(["10.0.0.0/8"]);
});

it("prints a client's auth key once, and keeps only its digest", async () => {
  const added = await run("clients add alice --requests-per-minute 5 --models gemini-2.5-*,a --expires 30d");
  expect(added).toMatchObject({ code: 0, stderr: expect.stringContaining("shown only this once") });
  expect(added.stdout).toMatch(/^gg_[A-Za-z0-9_-]{43}\n$/);
  const listed = await run("clients list");
  expect(listed.stdout).toMatch(/^alice +5 +- +- +- +- +in 29d 23h +gemini-2\.5-\*,a$/m);
  const secret = added.stdout.trim();
  expect(listed.stdout + readFileSync(join(FOLDER, "gateway.db"), "latin1")).not.toContain(secret);
  expect(await run("clients revoke alice")).toMatchObject({
    code: 0,
    stdout: "The auth key of alice is revoked.\n",
  });
  expect((await run("clients list")).stdout).toContain("There is no client.");
});

it.each([
  ["bans add", /bans add takes addresses such as/],
  ["bans add 300.1.1.1", /"300\.1\.1\.1" is no address and no network/],
  ["bans add 1.1.1.1 --duration soon", /--duration must be a time from 1s to 3650d/],
  ["bans remove x", /is no address and no network/],
  ["clients add", /clients add takes one name/],
  ["clients add alice bob", /clients add takes one name/],
  ["clients add alice --tokens-per-day lots", /--tokens-per-day must be a whole number from 0 \(no limit\)/],
  ["clients add alice --models a;b", /--models must be at most 100 names/],
  ["clients revoke gg_secret/x", /takes names, as `clients list` shows them, and no auth keys/],
])("%j is refused with exit code 2 and one sentence", async (line, sentence) => {
  const { code, stdout, stderr } = await run(line);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(sentence);
});

it("acts on a running gateway at once", async () => {
  await using emulator = await startEmulator();
  await using program = await startProgram(emulator.url, { flags: ["--anonymous", "denied"] });
  const added = await run("clients add alice", program.folder);
  const headers = { "x-goog-api-key": added.stdout.trim() };
  await expect.poll(async () => (await ask(program.url, { headers })).status, POLL).toBe(200);
  expect(await run("clients add alice", program.folder)).toMatchObject({
    code: 1,
    stderr: "gemini-gateway: There is an auth key named alice already.\n",
  });
  await run("clients revoke alice", program.folder);
  await expect.poll(async () => (await ask(program.url, { headers })).status, POLL).toBe(401);
  await run("bans add 127.0.0.1", program.folder);
  await expect.poll(async () => (await ask(program.url)).status, POLL).toBe(403);
  await run("bans remove 127.0.0.1", program.folder);
  await expect.poll(async () => (await ask(program.url)).status, POLL).toBe(401);
});
