import Database from "better-sqlite3";
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { wishKeys } from "../src/control/key-desk-commands.ts";
import { startPool, type Pool } from "./harness/pool.ts";
import { ask } from "./harness/requests.ts";
import { mountSmallDisk } from "./harness/small-disk.ts";

const KEYS = ["test-key-1", "test-key-2", "test-key-3"];
const PROJECTS = KEYS.map((key) => ({ name: `project-of-${key}`, keys: [key] }));
/** Requests at once while something happens to the database. */
const LOAD = 4;
const PAGE_BYTES = 4096;
/** A note too long for what is left of a full disk's last page. */
const NOTE_LENGTH = 200;
const DAMAGED = "the database file is damaged: it is set aside, and a new one takes its place";

/** Asks again and again until stopped; then gives the status of every answer. */
function load(pool: Pool): () => Promise<number[]> {
  const statuses: number[] = [];
  const over = new AbortController();
  const asking = Array.from({ length: LOAD }, async () => {
    while (!over.signal.aborted) statuses.push((await ask(pool.url)).status);
  });
  return async () => {
    over.abort();
    await Promise.all(asking);
    return statuses;
  };
}

async function ready(pool: Pool): Promise<unknown> {
  const response = await fetch(`${pool.url}/readyz`);
  return [response.status, await response.json()];
}

function logged(pool: Pool, message: string): boolean {
  return pool.logLines.some((line) => (JSON.parse(line) as { readonly msg: string }).msg === message);
}

function reading<T>(path: string, read: (database: Database.Database) => T): T {
  const database = new Database(path, { readonly: true });
  try {
    return read(database);
  } finally {
    database.close();
  }
}

const storedKeys = (path: string): unknown =>
  reading(path, (database) => database.prepare("SELECT id, secret FROM keys ORDER BY id").raw().all());

const storedRequests = (path: string): unknown =>
  reading(path, (database) => database.prepare("SELECT count(*) FROM request_log").pluck().get());

const asideFiles = (folder: string): string[] =>
  readdirSync(folder).filter((name) => /\.damaged-\d{8}T\d{6}Z(?:-\d+)?$/.test(name));

it("serves on while the disk is full, says so, and writes everything down when there is room again", async ({
  skip,
}) => {
  using disk = mountSmallDisk(4);
  if (disk === undefined) return skip("this user may not mount a disk");
  const database = join(disk.folder, "gateway.db");
  await using pool = await startPool({ projects: PROJECTS, flags: { database } });
  const stop = load(pool);
  await pool.requestLogged();
  disk.fill();
  await expect.poll(() => pool.gateway.databaseState, { timeout: 10_000 }).toBe("failing");
  await expect.poll(() => ready(pool)).toEqual([200, { status: "ready", database: "failing" }]);
  expect(logged(pool, "the database cannot be written; serving goes on from memory")).toBe(true);
  disk.empty();
  await expect.poll(() => pool.gateway.databaseState, { timeout: 10_000 }).toBe("ok");
  const statuses = await stop();
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(logged(pool, "the database is written again")).toBe(true);
  await expect.poll(() => storedRequests(database), { timeout: 10_000 }).toBe(statuses.length);
  await expect.poll(() => ready(pool)).toEqual([200, { status: "ready" }]);
});

it("says why a command cannot be done on a full disk, and then does no part of it", async ({ skip }) => {
  using disk = mountSmallDisk(4);
  if (disk === undefined) return skip("this user may not mount a disk");
  const database = join(disk.folder, "gateway.db");
  await using pool = await startPool({ projects: PROJECTS, flags: { database } });
  const stop = load(pool);
  await pool.requestLogged();
  disk.fill();
  await expect.poll(() => pool.gateway.databaseState, { timeout: 10_000 }).toBe("failing");
  await stop();
  const wish = { wish: "disable", fingerprints: [], all: true, note: "n".repeat(NOTE_LENGTH) } as const;
  await expect(wishKeys(database, wish)).rejects.toMatchObject({
    code: "database-unusable",
    message: expect.stringMatching(/^The database cannot be written now \(SQLITE_FULL\)/),
  });
  expect((await ask(pool.url)).status).toBe(200);
  disk.empty();
  await expect.poll(() => pool.gateway.databaseState, { timeout: 10_000 }).toBe("ok");
  await pool.restart();
  expect(KEYS.map((key) => pool.keyView(key).isEnabled)).toEqual([true, true, true]);
  expect((await wishKeys(database, wish)).changed).toBe(KEYS.length);
});

it("starts and serves on a full disk, and moves into the file when there is room", async ({ skip }) => {
  using disk = mountSmallDisk(4);
  if (disk === undefined) return skip("this user may not mount a disk");
  disk.fill();
  const database = join(disk.folder, "gateway.db");
  await using pool = await startPool({ projects: PROJECTS, flags: { database } });
  expect(pool.gateway.databaseState).toBe("in-memory");
  expect((await ask(pool.url)).status).toBe(200);
  disk.empty();
  await expect.poll(() => pool.gateway.databaseState, { timeout: 10_000 }).toBe("ok");
  expect(storedKeys(database)).toHaveLength(KEYS.length);
  await expect.poll(() => storedRequests(database), { timeout: 10_000 }).toBe(1);
  const before = storedKeys(database);
  await pool.restart();
  expect(storedKeys(database)).toEqual(before);
});

it("knows from a file it cannot write what is in it, and gives keys the ids they have there", async ({
  skip,
}) => {
  using disk = mountSmallDisk(4);
  if (disk === undefined) return skip("this user may not mount a disk");
  const database = join(disk.folder, "gateway.db");
  const projects = [{ name: "p", keys: KEYS, keyStates: { "test-key-1": "leaked" as const } }];
  await using pool = await startPool({ projects, flags: { database, workers: 1 } });
  await expect
    .poll(async () => {
      await ask(pool.url);
      return pool.emulator.calls.byKey("test-key-1");
    })
    .toBe(1);
  const before = storedKeys(database);
  await pool.gateway.stop();
  disk.fill();
  await pool.start();
  expect(pool.gateway.databaseState).toBe("in-memory");
  for (let more = 0; more < 6; more += 1) expect((await ask(pool.url)).status).toBe(200);
  expect(pool.emulator.calls.byKey("test-key-1")).toBe(1);
  disk.empty();
  await expect.poll(() => pool.gateway.databaseState, { timeout: 10_000 }).toBe("ok");
  expect(storedKeys(database)).toEqual(before);
});

it("sets a file aside that is damaged under load, and builds a new one without failing a request", async () => {
  await using pool = await startPool({ projects: PROJECTS });
  const { database } = pool.config;
  const before = storedKeys(database);
  const stop = load(pool);
  await pool.requestLogged();
  damage(database);
  await expect.poll(() => asideFiles(pool.folder), { timeout: 10_000 }).toHaveLength(1);
  await expect.poll(() => pool.gateway.databaseState, { timeout: 10_000 }).toBe("ok");
  expect(new Set(await stop())).toEqual(new Set([200]));
  expect(logged(pool, DAMAGED)).toBe(true);
  expect(storedKeys(database)).toEqual(before);
  expect(statSync(database).mode & 0o777).toBe(0o600);
  const rows = Number(storedRequests(database));
  expect((await ask(pool.url)).status).toBe(200);
  await expect.poll(() => storedRequests(database), { timeout: 10_000 }).toBeGreaterThan(rows);
  await pool.restart();
  expect((await ask(pool.url)).status).toBe(200);
  expect(storedKeys(database)).toEqual(before);
});

it.each([
  ["is garbage", (path: string) => writeFileSync(path, "garbage ".repeat(2_000))],
  [
    "has lost its end",
    (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 2 * PAGE_BYTES + 100)),
  ],
  ["has holes", (path: string) => overwrite(path, PAGE_BYTES)],
])(
  "sets a file aside at the start that %s, changes nothing in it, and reads the keys anew",
  async (_what, spoil) => {
    await using pool = await startPool({ projects: PROJECTS });
    const { database } = pool.config;
    await pool.gateway.stop();
    spoil(database);
    const damaged = readFileSync(database);
    await pool.start();
    const [aside] = asideFiles(pool.folder);
    expect(readFileSync(join(pool.folder, aside ?? "")).equals(damaged)).toBe(true);
    expect(pool.gateway.databaseState).toBe("ok");
    expect((await ask(pool.url)).status).toBe(200);
    expect(storedKeys(database)).toHaveLength(KEYS.length);
  },
);

it("builds a new file when somebody takes the file away", async () => {
  await using pool = await startPool({ projects: PROJECTS });
  const { database } = pool.config;
  const before = storedKeys(database);
  const stop = load(pool);
  await pool.requestLogged();
  renameSync(database, `${database}.taken`);
  await expect
    .poll(() => statSync(database, { throwIfNoEntry: false })?.isFile(), { timeout: 10_000 })
    .toBe(true);
  await expect.poll(() => pool.gateway.databaseState, { timeout: 10_000 }).toBe("ok");
  expect(new Set(await stop())).toEqual(new Set([200]));
  expect(storedKeys(database)).toEqual(before);
});

it("waits without failing a request while another program holds the database", async () => {
  await using pool = await startPool({ projects: PROJECTS });
  const { database } = pool.config;
  const other = new Database(database);
  other.exec("BEGIN IMMEDIATE");
  const stop = load(pool);
  await expect.poll(() => pool.gateway.databaseState, { timeout: 10_000 }).toBe("failing");
  other.exec("ROLLBACK");
  other.close();
  await expect.poll(() => pool.gateway.databaseState, { timeout: 10_000 }).toBe("ok");
  const statuses = await stop();
  expect(new Set(statuses)).toEqual(new Set([200]));
  await expect.poll(() => storedRequests(database), { timeout: 10_000 }).toBe(statuses.length);
});

/** Spoils what is on disk, and makes the gateway's connection read it anew. */
function damage(path: string): void {
  const other = new Database(path);
  other.pragma("wal_checkpoint(TRUNCATE)");
  overwrite(path, PAGE_BYTES);
  try {
    other.exec("CREATE TABLE nothing (nothing); DROP TABLE nothing");
  } catch {
    // It meets the damage itself: the gateway will, too.
  } finally {
    other.close();
  }
}

/** Writes over everything from `from` on; the first page keeps saying that this is a database. */
function overwrite(path: string, from: number): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(statSync(path).size - from, 0xa5), 0, undefined, from);
  closeSync(file);
}
