/** What is known of owners, in memory and in the database: its bounds, its end, and what happens when the file is lost. */
import Database from "better-sqlite3";
import { mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ResourceEntry } from "../src/affinity/messages.ts";
import { AffinityBook, RECENT_MAX, UNSAVED_MAX } from "../src/primary/affinity/affinity-book.ts";
import { Retention } from "../src/primary/retention.ts";
import { copyTables } from "../src/primary/store/copy-tables.ts";
import { memoryDatabase } from "../src/primary/store/open-database.ts";
import { keyTable } from "../src/primary/store/key-table.ts";
import { migrate } from "../src/primary/store/schema.ts";
import { resourceTable } from "../src/primary/store/resource-table.ts";
import { openStore, openStoreReader } from "../src/primary/store/store.ts";
import { AffinityScene } from "./harness/affinity-scene.ts";

const NOW = 1_700_000_000_000;
const HOUR_MS = 3_600_000;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "owners-"));
  path = join(folder, "gateway.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Shelf extends Disposable {
  readonly database: Database.Database;
  readonly book: AffinityBook;
  readonly logged: string[];
  nowMs: number;
}

function shelf(): Shelf {
  const database = new Database(path);
  migrate(database);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = NORMAL");
  const logged: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void logged.push(line) });
  const scene: Shelf = {
    database,
    logged,
    nowMs: NOW,
    book: new AffinityBook({
      table: resourceTable(database),
      projectOf: (keyId) => (keyId === 1 ? "team" : null),
      log,
      now: () => scene.nowMs,
    }),
    [Symbol.dispose]: () => void database.close(),
  };
  return scene;
}

function numbered(from: number, count: number, keyId = 1): ResourceEntry[] {
  return Array.from({ length: count }, (_, index) => ({ name: `files/f${from + index}`, keyId }));
}

const rows = (database: Database.Database): unknown =>
  database.prepare("SELECT name, key_id, project, detail, expires_at_ms FROM resources").raw().all();

describe("the book of owners", () => {
  it("knows at once what it is told, and writes it a little later", () => {
    using scene = shelf();
    const { book, database } = scene;
    book.learn([
      { name: "files/a", keyId: 1, expiresAtMs: NOW + HOUR_MS + 0.5 },
      { name: "uploads/secret", keyId: 2, detail: "https://upload.test/?upload_id=x" },
    ]);
    expect(book.find("files/a")).toMatchObject({ keyId: 1, project: "team" });
    expect(book.find("uploads/secret")?.detail).toBe("https://upload.test/?upload_id=x");
    expect([rows(database), book.unsaved]).toEqual([[], 2]);
    book.tick();
    expect(rows(database)).toEqual([
      ["files/a", 1, "team", null, NOW + HOUR_MS + 1],
      [expect.stringMatching(/^uploads\/~/), 2, null, "https://upload.test/?upload_id=x", null],
    ]);
    expect([book.size, book.unsaved]).toEqual([2, 0]);
  });

  it("believes the latest, and forgets what was deleted or has expired", () => {
    using scene = shelf();
    const { book, database } = scene;
    book.learn([{ name: "files/a", keyId: 1, expiresAtMs: NOW + HOUR_MS }]);
    book.flush();
    book.learn([{ name: "files/a", keyId: 2, expiresAtMs: NOW + 2 * HOUR_MS }]);
    scene.nowMs = NOW + HOUR_MS;
    expect(book.find("files/a")?.keyId).toBe(2);
    scene.nowMs = NOW + 2 * HOUR_MS;
    expect(book.find("files/a")).toBeUndefined();
    scene.nowMs = NOW;
    book.flush();
    book.forget(["files/a", "files/never-known"]);
    expect(book.find("files/a")).toBeUndefined();
    book.flush();
    expect([rows(database), book.size]).toEqual([[], 0]);
  });

  it("leaves out what is absurdly long", () => {
    using scene = shelf();
    scene.book.learn([
      { name: `files/${"x".repeat(2_000)}`, keyId: 1 },
      { name: "files/a", keyId: 1, detail: "x".repeat(5_000) },
    ]);
    expect(scene.book.unsaved).toBe(1);
    expect(scene.book.find("files/a")?.detail).toBeNull();
  });

  it("needs no more memory for many than for some, and loses none that is written", () => {
    using scene = shelf();
    const { book } = scene;
    for (let from = 0; from < 3 * RECENT_MAX; from += 500) {
      book.learn(numbered(from, 500));
      book.tick();
    }
    book.flush();
    expect(book.size).toBeGreaterThanOrEqual(3 * RECENT_MAX);
    for (let index = 0; index < 3 * RECENT_MAX; index += 997) {
      expect(book.find(`files/f${index}`)?.keyId).toBe(1);
    }
  });

  it("serves from memory while the database takes nothing, loses the oldest first, and says so once", () => {
    using scene = shelf();
    const { book, database } = scene;
    database.pragma("query_only = ON");
    for (let from = 0; from < UNSAVED_MAX + 1_000; from += 1_000) {
      book.learn(numbered(from, 1_000));
      book.tick();
      scene.nowMs += 10;
    }
    expect(book.unsaved).toBeLessThanOrEqual(UNSAVED_MAX);
    expect(book.unsaved).toBeGreaterThan(0.9 * UNSAVED_MAX);
    expect(book.find(`files/f${UNSAVED_MAX}`)?.keyId).toBe(1);
    expect(book.find("files/f0")).toBeUndefined();
    expect(scene.logged).toHaveLength(1);
    database.pragma("query_only = OFF");
    scene.nowMs += 10_000;
    book.tick();
    expect(book.unsaved).toBeLessThan(UNSAVED_MAX);
    expect(database.prepare("SELECT count(*) FROM resources").pluck().get()).toBeGreaterThan(0);
  });

  it("knows nothing of what it cannot read, and does not fail for it", () => {
    using scene = shelf();
    const { book, database } = scene;
    book.learn([{ name: "files/a", keyId: 1 }]);
    database.exec("DROP TABLE resources");
    expect(book.find("files/a")?.keyId).toBe(1);
    expect(book.find("files/b")).toBeUndefined();
    expect(scene.logged).toHaveLength(1);
  });
});

describe("the table of owners", () => {
  it("counts as it is changed, by all and by key", () => {
    using store = openStore(path);
    const row = { project: null, detail: null, learntAtMs: NOW, expiresAtMs: null };
    expect(store.resources.count()).toBe(0);
    const save = ["files/a", "files/b", "files/c"].map((name, index) => ({
      ...row,
      name,
      keyId: 1 + (index % 2),
    }));
    store.resources.change(save, []);
    store.resources.change([{ ...row, name: "files/a", keyId: 2 }], ["files/c", "files/never-known"]);
    expect(store.resources.count()).toBe(2);
    expect([
      store.resources.countOf([1]),
      store.resources.countOf([2]),
      store.resources.countOf([1, 2]),
    ]).toEqual([0, 2, 2]);
    using reader = openStoreReader(path);
    expect(reader?.resources.countOf([2])).toBe(2);
  });

  it("is pruned of what has expired, and of the least recently told when there are too many", () => {
    using store = openStore(path);
    const row = { keyId: 1, project: null, detail: null, learntAtMs: NOW };
    const save = Array.from({ length: 5_000 }, (_, index) => ({
      ...row,
      name: `files/f${index}`,
      expiresAtMs: index < 2_000 ? NOW - 1 : index < 3_000 ? NOW + HOUR_MS : null,
    }));
    store.resources.change(save, []);
    // Told of again: from now on one of the newest.
    store.resources.change([{ ...row, name: "files/f3000", expiresAtMs: null }], []);
    const settings = () => ({ logRetentionMs: HOUR_MS, logMaxRows: 1_000, affinity: { resources: 1_500 } });
    const retention = new Retention({ store, settings, log: pino({ level: "silent" }), now: () => NOW });
    let steps = 0;
    while (retention.step() > 0) steps += 1;
    // 3,500 go, 250 at a time.
    expect(steps).toBe(14);
    expect(store.resources.count()).toBe(1_500);
    const isKept = (index: number): boolean => store.resources.get(`files/f${index}`) !== undefined;
    expect([0, 2_500, 3_000, 3_001, 3_501, 4_999].map(isKept)).toEqual([
      false,
      false,
      true,
      false,
      true,
      true,
    ]);
  });

  it("comes to a database of an older gateway, which keeps what it has", () => {
    {
      using store = openStore(path);
      const change = { add: [{ secret: "test-key-1", label: null, sourceFile: "a.txt" }] };
      store.keys.change({ ...change, restore: [], relabel: [], retire: [] }, NOW);
    }
    const older = new Database(path);
    older.exec("DROP TABLE resources; DROP TABLE conversations; PRAGMA user_version = 4");
    older.close();
    using store = openStore(path);
    expect(store.keys.load()).toHaveLength(1);
    expect(store.resources.count()).toBe(0);
  });
});

it("keeps what it knows when the file is taken away while it runs", async () => {
  let owner = 0;
  {
    await using scene = new AffinityScene(path);
    const ids = scene.addKeys({ "test-key-1": "p1", "test-key-2": "p2", "test-key-3": "p3" });
    owner = ids[1] as number;
    const thread = scene.thread();
    await thread.learn([{ name: "files/written", keyId: owner }]);
    scene.affinity.tick();
    expect(scene.affinity.counts.unsaved).toBe(0);
    await thread.learn([{ name: "files/not-written", keyId: owner }]);
    renameSync(path, `${path}.taken`);
    await expect
      .poll(() => statSync(path, { throwIfNoEntry: false })?.isFile(), { timeout: 10_000 })
      .toBe(true);
    for (const name of ["files/written", "files/not-written"]) {
      expect((await thread.seek({ resources: [name] })).keyId).toBe(owner);
    }
  }
  using store = openStore(path);
  expect(store.resources.get("files/written")?.keyId).toBe(owner);
  expect(store.resources.get("files/not-written")?.keyId).toBe(owner);
});

it("gives back to the file what was learnt without it, and drops nothing that only the file knows", () => {
  const row = { project: null, detail: null, learntAtMs: NOW, expiresAtMs: null };
  using store = openStore(path);
  const keys = ["test-key-1", "test-key-2"].map((secret) => ({ secret, label: null, sourceFile: "a.txt" }));
  store.keys.change({ add: keys, restore: [], relabel: [], retire: [] }, NOW);
  store.resources.change(
    ["files/a", "files/b", "files/of-2"].map((name) => ({
      ...row,
      name,
      keyId: name === "files/of-2" ? 2 : 1,
    })),
    [],
  );
  const memory = memoryDatabase();
  // A stand-in that could not read the file gave the key another number.
  memory.exec("INSERT INTO sqlite_sequence (name, seq) VALUES ('keys', 1000)");
  const [first] = keys.slice(0, 1);
  const change = { add: first === undefined ? [] : [first], restore: [], relabel: [], retire: [] };
  keyTable(memory).change(change, NOW);
  resourceTable(memory).change(
    ["files/b", "files/c"].map((name) => ({ ...row, name, keyId: 1_001 })),
    [],
  );
  const file = new Database(path);
  copyTables(memory, file, "replace");
  for (const database of [file, memory]) database.close();
  const keyOf = (name: string): number | undefined => store.resources.get(name)?.keyId;
  expect(["files/a", "files/b", "files/c", "files/of-2"].map(keyOf)).toEqual([1_001, 1_001, 1_001, 2]);
});

it("keeps what the file knows when what memory holds replaces the rest of it", () => {
  const row = { project: null, detail: null, learntAtMs: NOW, expiresAtMs: null };
  using store = openStore(path);
  store.resources.change([{ ...row, name: "files/a", keyId: 1 }], []);
  const memory = memoryDatabase();
  resourceTable(memory).change([{ ...row, name: "files/b", keyId: 2 }], []);
  const file = new Database(path);
  copyTables(memory, file, "only");
  for (const database of [file, memory]) database.close();
  expect(["files/a", "files/b"].map((name) => store.resources.get(name)?.keyId)).toEqual([1, 2]);
});
