/** Every command answers a place it cannot use with one sentence and a code that is not 0, whatever is there. */
import { execFile, spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { INHERITED } from "./harness/environment.ts";
import { PROGRAM } from "./harness/program.ts";
import { mountSmallDisk } from "./harness/small-disk.ts";

const LETTER = "Dear database, ".repeat(50);
const KEY = "k-aaaaaaaaaaaa";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "bad-places-"));
  mkdirSync(join(folder, "folder"));
  writeFileSync(join(folder, "letter"), LETTER);
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly stderr: string;
}

function run(cwd: string, line: string): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const options = { cwd, env: INHERITED };
  const child = execFile(process.execPath, [PROGRAM, ...line.split(" ")], options, (error, _stdout, stderr) =>
    resolve({ code: error === null ? 0 : Number(error.code), stderr }),
  );
  child.stdin?.end();
  return promise;
}

/** What every refusal looks like. */
const ONE_SENTENCE = {
  code: expect.toSatisfy((code: number) => code === 1 || code === 2) as number,
  stderr: expect.stringMatching(/^gemini-gateway: [^\n]{10,400}\n$/) as string,
};

it.each([
  "serve --database folder",
  "serve --database letter",
  "serve --database missing/gateway.db",
  "serve --config folder",
  "status --database letter",
  "status --database letter/gateway.db",
  "logs --database folder",
  "keys list --database letter",
  `keys disable ${KEY} --database letter`,
  `keys explain ${KEY} --database folder`,
  "keys test --database letter",
  "keys add --keys-dir letter",
  `keys remove ${KEY} --keys-dir letter`,
  "bans add 203.0.113.7 --database letter",
  "bans add not-an-address",
  "clients add bob --database folder",
  "clients revoke bob --database letter",
  "config check --config missing.yaml",
  "import folder",
  "import letter",
])("%s", async (line) => {
  expect(await run(folder, line)).toEqual(ONE_SENTENCE);
  expect(readFileSync(join(folder, "letter"), "utf8")).toBe(LETTER);
  expect(readdirSync(folder).toSorted()).toEqual(["folder", "letter"]);
});

it("and a full disk", async ({ skip }) => {
  using disk = mountSmallDisk(1);
  if (disk === undefined) return skip("this user may not mount a disk");
  mkdirSync(join(disk.folder, "keys"));
  disk.fill();
  for (const line of [
    "bans add 203.0.113.7",
    "clients add bob",
    `import ${join(import.meta.dirname, "fixtures/original")}`,
  ]) {
    expect(await run(disk.folder, line)).toEqual(ONE_SENTENCE);
  }
});

it("and an output that takes nothing more", async ({ skip }) => {
  if (process.platform !== "linux") return skip("there is no /dev/full");
  const full = openSync("/dev/full", "w");
  const child = spawn(process.execPath, [PROGRAM, "config", "show"], { stdio: ["ignore", full, "pipe"] });
  const [stderr, [code]] = await Promise.all([text(child.stderr!), once(child, "close")]);
  closeSync(full);
  expect({ code: Number(code), stderr }).toEqual(ONE_SENTENCE);
});
