import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fingerprint } from "../src/primary/keys/fingerprint.ts";
import type { KeyChange, RequestLogRow } from "../src/primary/store/rows.ts";
import { openStore, openStoreReader } from "../src/primary/store/store.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "store-"));
  path = join(folder, "gateway.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (file: string): number => statSync(file).mode & 0o777;
const nothing: KeyChange = { add: [], restore: [], relabel: [], retire: [] };
const adding = (...secrets: string[]): KeyChange => ({
  ...nothing,
  add: secrets.map((secret) => ({ secret, label: null, sourceFile: "a.txt" })),
});

describe("the file", () => {
  test.skipIf(process.platform === "win32")("and all beside it can be read by nobody else", () => {
    using store = openStore(path);
    store.keys.change(adding("test-key-1"), 1);
    const names = readdirSync(folder);
    expect(names).toContain("gateway.db-wal");
    for (const name of names) expect([name, modeOf(join(folder, name))]).toEqual([name, 0o600]);
  });

  test.skipIf(process.platform === "win32")("keeps the mode its operator gave it", () => {
    openStore(path)[Symbol.dispose]();
    chmodSync(path, 0o640);
    openStore(path)[Symbol.dispose]();
    expect(modeOf(path)).toBe(0o640);
  });

  test("is opened by one gateway at a time", () => {
    const first = openStore(path);
    expect(() => openStore(path)).toThrow(expect.objectContaining({ code: "database-in-use" }));
    first[Symbol.dispose]();
    openStore(path)[Symbol.dispose]();
  });

  test("of a newer gateway is refused, and left as it is", () => {
    openStore(path)[Symbol.dispose]();
    const newer = new Database(path);
    newer.pragma("user_version = 99");
    expect(() => openStore(path)).toThrow(expect.objectContaining({ code: "database-newer" }));
    expect(newer.pragma("user_version", { simple: true })).toBe(99);
    newer.close();
  });

  test("of another program is refused", () => {
    const other = new Database(path);
    other.exec("CREATE TABLE notes (text)");
    other.close();
    expect(() => openStore(path)).toThrow(expect.objectContaining({ code: "database-foreign" }));
    writeFileSync(join(folder, "letter.db"), "Dear database, ".repeat(100));
    expect(() => openStore(join(folder, "letter.db"))).toThrow(
      expect.objectContaining({ code: "database-foreign" }),
    );
  });

  test("that cannot be created is explained", () => {
    expect(() => openStore(join(folder, "missing", "gateway.db"))).toThrow(/cannot be opened \(ENOENT\)/);
  });

  test("is not created by a reader, which sees what a writer has committed", () => {
    expect(openStoreReader(path)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
    using store = openStore(path);
    store.keys.change(adding("test-key-1"), 1);
    using reader = openStoreReader(path);
    expect(reader?.keys.load().map(({ secret }) => secret)).toEqual(["test-key-1"]);
  });
});

describe("keys", () => {
  test("are told apart where two would have one fingerprint", () => {
    const name = fingerprint("test-key-1");
    {
      using store = openStore(path);
      store.keys.change(adding("test-key-2"), 1);
    }
    const raw = new Database(path);
    raw.prepare("UPDATE keys SET fingerprint = ?").run(name);
    raw.close();
    using store = openStore(path);
    const { added } = store.keys.change(adding("test-key-1"), 2);
    expect(added).toMatchObject([{ secret: "test-key-1", fingerprint: fingerprint("test-key-1", 16) }]);
    expect(store.keys.load()).toEqual([expect.objectContaining({ id: 1, fingerprint: name }), ...added]);
  });

  test("survive a restart with project, health and what the operator wants", () => {
    {
      using store = openStore(path);
      const { added } = store.keys.change(
        {
          ...adding("test-key-1", "test-key-2"),
          add: [{ secret: "test-key-0", label: "team", sourceFile: "b.txt" }],
        },
        5,
      );
      const id = added[0]?.id ?? 0;
      store.keys.saveHealth([{ id, health: { state: "resting", untilMs: 7 } }]);
      store.keys.learnProjects([{ id, project: "123" }]);
      store.keys.setEnabled([id], false, "closing", 6);
    }
    using store = openStore(path);
    expect(store.keys.load()).toEqual([
      {
        id: 1,
        secret: "test-key-0",
        fingerprint: expect.stringMatching(/^k-[a-z2-7]{12}$/),
        project: "team",
        projectSource: "label",
        label: "team",
        learnt: "123",
        sourceFile: "b.txt",
        note: "closing",
        notedAtMs: 6,
        enabled: false,
        addedAtMs: 5,
        retiredAtMs: null,
        health: { state: "resting", untilMs: 7 },
      },
    ]);
  });

  test("fall back to the learnt project when their label goes", () => {
    using store = openStore(path);
    store.keys.change({ ...nothing, add: [{ secret: "test-key-1", label: "team", sourceFile: "a.txt" }] }, 1);
    store.keys.learnProjects([{ id: 1, project: "123" }]);
    const relabel = [{ id: 1, label: null, sourceFile: "a.txt" }];
    expect(store.keys.change({ ...nothing, relabel }, 2).relabelled).toMatchObject([
      { project: "123", projectSource: "learnt" },
    ]);
  });

  test("that come back keep their id, fingerprint and health", () => {
    using store = openStore(path);
    const [before] = store.keys.change(adding("test-key-1"), 1).added;
    store.keys.saveHealth([{ id: 1, health: "dead" }]);
    store.keys.change({ ...nothing, retire: [1] }, 2);
    expect(store.keys.load()[0]?.retiredAtMs).toBe(2);
    const restore = [{ id: 1, label: null, sourceFile: "a.txt" }];
    expect(store.keys.change({ ...nothing, restore }, 3).added).toEqual([{ ...before, health: "dead" }]);
    store.keys.change({ ...nothing, retire: [1] }, 4);
    expect(store.keys.change(adding("test-key-1"), 5).added).toEqual([{ ...before, health: "dead" }]);
  });

  test("once purged leave no byte in the file, and their id names no other key", () => {
    {
      using store = openStore(path);
      store.keys.change(adding("test-key-1", "test-key-gone-for-good"), 1);
      store.keys.change({ ...nothing, retire: [2] }, 2);
      expect(store.keys.purgeRetired(2, 10)).toBe(0);
      expect(store.keys.purgeRetired(3, 10)).toBe(1);
      expect(store.keys.change(adding("test-key-2"), 4).added[0]?.id).toBe(3);
    }
    expect(readFileSync(path, "latin1")).toContain("test-key-1");
    expect(readFileSync(path, "latin1")).not.toContain("gone-for-good");
  });

  test("are changed all or none", () => {
    using store = openStore(path);
    const broken = { secret: "test-key-2", label: true as unknown as string, sourceFile: "a.txt" };
    expect(() => store.keys.change({ ...nothing, add: [...adding("test-key-1").add, broken] }, 1)).toThrow(
      "SQLite3 can only bind",
    );
    expect(store.keys.load()).toEqual([]);
  });

  test("whose snapshot cannot be read have none", () => {
    {
      using store = openStore(path);
      store.keys.change(adding("test-key-1"), 1);
    }
    const raw = new Database(path);
    raw.exec("UPDATE keys SET health = '{half'");
    raw.close();
    using store = openStore(path);
    expect(store.keys.load()[0]?.health).toBeNull();
  });
});

test("model states survive a restart, and old ones can be pruned", () => {
  {
    using store = openStore(path);
    store.models.save([
      { project: "p", model: "m", state: { untilMs: 1 }, updatedAtMs: 10 },
      { project: "p", model: "n", state: [2], updatedAtMs: 20 },
    ]);
    store.models.save([{ project: "p", model: "m", state: { untilMs: 3 }, updatedAtMs: 30 }]);
  }
  using store = openStore(path);
  expect(store.models.prune(25, 10)).toBe(1);
  expect(store.models.load()).toEqual([{ project: "p", model: "m", state: { untilMs: 3 }, updatedAtMs: 30 }]);
});

test("request rows are counted since a moment, and pruned before one", () => {
  using store = openStore(path);
  store.requests.append([
    row({ atMs: 10 }),
    row({ atMs: 20.4, outcome: "network", attempts: 3 }),
    row({ atMs: 30 }),
  ]);
  expect(store.requests.counts(20)).toEqual({
    total: 2,
    byOutcome: { served: 1, network: 1 },
    attempts: 4,
    promptTokens: 10,
    outputTokens: 0,
  });
  expect(store.requests.prune(25, 1)).toBe(1);
  expect(store.requests.counts(0).total).toBe(2);
});

test("single values are kept by name", () => {
  using store = openStore(path);
  expect(store.meta.get("last")).toBeUndefined();
  store.meta.set("last", "1");
  store.meta.set("last", "2");
  expect(store.meta.get("last")).toBe("2");
});

function row(changes: Partial<RequestLogRow>): RequestLogRow {
  return {
    atMs: 1,
    requestId: "r",
    method: "POST",
    path: "/v1beta/models/m:generateContent",
    model: "m",
    status: 200,
    outcome: "served",
    reason: null,
    attempts: 1,
    firstByteMs: 1.25,
    durationMs: 2.5,
    bytesIn: 1,
    bytesOut: 2,
    promptTokens: 5,
    outputTokens: null,
    totalTokens: null,
    keyId: 1,
    client: "ada",
    address: "127.0.0.1",
    ...changes,
  };
}
