import Database from "better-sqlite3";
import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { afterEach, beforeEach, expect, it } from "vitest";
import { INHERITED } from "./harness/environment.ts";
import { fingerprint } from "../src/primary/keys/fingerprint.ts";
import { openStore, openStoreReader } from "../src/primary/store/store.ts";
import { PROGRAM } from "./harness/program.ts";

const FIXTURE = join(import.meta.dirname, "fixtures/original");
const KEY = "test-key-of-original";
const HOUR_MS = 3_600_000;
const SECRETS = /test-key-of-original-\d|s3cret/;

let folder: string;
let original: string;
let ours: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "import-"));
  original = join(folder, "original");
  ours = join(folder, "ours");
  cpSync(FIXTURE, original, { recursive: true });
  makeDatabase(join(original, "api_proxy.db"));
  mkdirSync(ours);
});

afterEach(() => rmSync(folder, { recursive: true }));

/** As the original might have left it: never checkpointed, so that the newest rows are beside the file. */
function makeDatabase(path: string): void {
  const nowSeconds = Date.now() / 1000;
  const database = new Database(path);
  database.pragma("journal_mode = WAL");
  database.exec(`
    CREATE TABLE api_keys (id INTEGER PRIMARY KEY, api_key TEXT, added_at TEXT);
    CREATE TABLE key_status (key_id INTEGER, model TEXT, status_code INTEGER, last_test REAL, next_test REAL);
    CREATE TABLE ip_bans (ip TEXT, banned_at TEXT, expires_at TEXT);
    CREATE TABLE settings (key TEXT, value TEXT);
    CREATE TABLE notes (text TEXT);
    INSERT INTO settings VALUES ('version', '3');
    INSERT INTO ip_bans VALUES ('203.0.113.7', '2025-01-02 03:04:05', NULL);
    INSERT INTO ip_bans VALUES ('198.51.100.9', '2025-01-02 03:04:05', '2025-01-03 03:04:05');
    INSERT INTO ip_bans VALUES ('not an address', NULL, NULL);
  `);
  const addKey = database.prepare("INSERT INTO api_keys VALUES (?, ?, NULL)");
  for (const number of [1, 2, 3, 9]) addKey.run(number, `${KEY}-${number}`);
  const addStatus = database.prepare("INSERT INTO key_status VALUES (?, ?, ?, ?, ?)");
  addStatus.run(1, "gemini-2.5-flash", 200, nowSeconds - 60, nowSeconds + 3600);
  addStatus.run(1, "gemini-2.5-pro", 429, nowSeconds - 60, nowSeconds + 60);
  addStatus.run(2, "gemini-2.5-flash", 403, nowSeconds - 60, nowSeconds + 86_400);
  addStatus.run(77, "gemini-2.5-flash", 200, nowSeconds, nowSeconds);
  // A copy of what a running original leaves behind.
  for (const suffix of ["", "-wal"]) cpSync(path + suffix, `${path}${suffix}.copy`);
  database.close();
  for (const suffix of ["", "-wal"]) {
    cpSync(`${path}${suffix}.copy`, path + suffix);
    rmSync(`${path}${suffix}.copy`);
  }
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: readonly string[]): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const options = { cwd: ours, env: INHERITED };
  execFile(process.execPath, [PROGRAM, ...args], options, (error, stdout, stderr) =>
    resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
  );
  return promise;
}

/** Every file below the folder with what is in it. */
function contentsOf(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [
      join(parentPath, name),
      hash("sha256", readFileSync(join(parentPath, name))),
    ]),
  );
}

it("takes over keys, states, bans and settings, changes nothing of the original and prints no secret", async () => {
  const before = contentsOf(original);
  const { code, stdout, stderr } = await run("import", original);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(contentsOf(original)).toEqual(before);
  expect(stdout).not.toMatch(SECRETS);
  expect(stdout).toContain("Keys taken over: 4 into imported.txt.");
  expect(stdout).toContain("Key states taken over: 1 good, 1 refused, 0 to be tested.");
  expect(stdout).toContain("Bans taken over: 1.");
  expect(stdout).toMatch(/config\.py line 28: SECRET_KEY: has no counterpart here/);
  expect(stdout).toMatch(/config\.py line 27: LOG_FILE: is computed/);
  expect(stdout).toContain("the table notes");
  expect(stdout).toContain("1 keys that stand in the database but in no key file");

  const file = join(ours, "gateway.yaml");
  expect(parse(readFileSync(file, "utf8"))).toEqual({
    host: "0.0.0.0",
    port: 5000,
    authKey: ["s3cret-of-the-original"],
    proxy: "socks5://127.0.0.1:1080",
    models: ["gemini-2.5-flash", "gemini-2.5-pro"],
    ip: { perMinute: 40, perHour: 3600, ban: "permanent" },
    retry: { attempts: 4 },
    probing: {
      afterSuccess: "43200s",
      afterForbidden: "864000s",
      afterRefusal: "86400s",
      afterServerError: "600s",
    },
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(ours, "keys/imported.txt"), "utf8")).toContain(
    `# project: team-blue\n${KEY}-1\n${KEY}-2\n`,
  );

  using store = openStoreReader(join(ours, "gateway.db"))!;
  expect(store.bans.load()).toMatchObject([{ network: "203.0.113.7", untilMs: null }]);
  const keys = new Map(store.keys.load().map((row) => [row.secret, row]));
  expect(keys.get(`${KEY}-1`)).toMatchObject({ project: "team-blue", health: { health: { kind: "good" } } });
  expect(keys.get(`${KEY}-2`)).toMatchObject({
    health: { health: { kind: "dead", evidence: { httpStatus: 403 } } },
  });
  expect(keys.get(`${KEY}-3`)?.health).toBeNull();
  const [test] = store.tests.ofKey(keys.get(`${KEY}-1`)!.id);
  expect(test).toMatchObject({ model: "gemini-2.5-flash", outcome: "served", httpStatus: 200 });
  expect(Math.abs(test!.dueAtMs - Date.now() - HOUR_MS)).toBeLessThan(HOUR_MS / 4);
});

it("is understood by the gateway that starts on it", async () => {
  await run("import", original);
  const { code, stdout } = await run("keys", "list", "--json");
  expect(code).toBe(0);
  const rows = JSON.parse(stdout) as { readonly fingerprint: string; readonly state: string }[];
  expect(rows.find((row) => row.fingerprint === fingerprint(`${KEY}-2`))?.state).toBe("dead");
  expect((await run("config", "check", "--config", "gateway.yaml")).code).toBe(0);
});

it("says with --dry-run what it would do, and writes nothing", async () => {
  const { code, stdout } = await run("import", original, "--dry-run", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    isDryRun: true,
    keys: { added: 4, alreadyThere: 0 },
    bans: { taken: 1 },
  });
  expect(readdirSync(ours)).toEqual([]);
});

it("run again, it adds nothing twice and keeps what was learnt since", async () => {
  await run("import", original);
  {
    using store = openStore(join(ours, "gateway.db"));
    const row = store.keys.load().find(({ secret }) => secret === `${KEY}-2`);
    store.keys.saveHealth([
      { id: row!.id, health: { health: { kind: "good", sinceMs: 1 }, standing: { kind: "good" } } },
    ]);
  }
  const { stdout } = await run("import", original, "--force");
  expect(stdout).toContain("Keys taken over: 0 into imported.txt (4 were here already).");
  using store = openStoreReader(join(ours, "gateway.db"))!;
  const row = store.keys.load().find(({ secret }) => secret === `${KEY}-2`);
  expect(row?.health).toMatchObject({ health: { kind: "good" } });
});

it.each([
  [
    "a configuration file that is there already",
    2,
    /gateway\.yaml exists already: name another file/,
    () => writeFileSync(join(ours, "gateway.yaml"), "port: 1\n"),
  ],
  [
    "a database that cannot be written",
    1,
    /The database .* cannot be opened|is a folder|EISDIR/,
    () => mkdirSync(join(ours, "gateway.db")),
  ],
  [
    "a database of another program",
    1,
    /is not an SQLite database/,
    () => writeFileSync(join(ours, "gateway.db"), "Dear database, ".repeat(50)),
  ],
])("takes over nothing at all when it meets %s", async (_what, exitCode, sentence, prepare) => {
  prepare();
  const before = contentsOf(ours);
  const { code, stdout, stderr } = await run("import", original);
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: "" });
  expect(stderr).toMatch(sentence);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(contentsOf(ours)).toEqual(before);
});

it("takes over what it can of a damaged installation, and exits 1", async () => {
  writeFileSync(join(original, "api_proxy.db"), "garbage ".repeat(1_000));
  rmSync(join(original, "api_proxy.db-wal"));
  const { code, stdout } = await run("import", original);
  expect(code).toBe(1);
  expect(stdout).toContain("Keys taken over: 4");
  expect(stdout).toMatch(/api_proxy\.db could not be read/);
});

it.each([
  [["import"], 2, /takes one path/],
  [["import", "a", "b"], 2, /takes one path/],
  [["import", "nowhere"], 1, /nowhere is no folder/],
  [["import", "."], 1, /There is no original installation in \./],
  [["import", ".", "--write", ""], 2, /--write must be given once/],
])("%j is refused in one sentence", async (args, exitCode, sentence) => {
  const { code, stderr } = await run(...args);
  expect(code).toBe(exitCode);
  expect(stderr).toMatch(sentence);
  expect(existsSync(join(ours, "gateway.db"))).toBe(false);
});
