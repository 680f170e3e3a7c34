import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type KeyPoolFixture, keyPoolFixture, NEVER_SETTLED, SETTLED } from "./key-pool-fixture.ts";

let pool: KeyPoolFixture;
beforeEach(() => {
  pool = keyPoolFixture();
});
afterEach(() => pool[Symbol.dispose]());

const isRoot = process.getuid?.() === 0;

describe("the store follows the files", () => {
  test("new keys are added, vanished ones retired, returning ones restored, labels taken over", async () => {
    pool.write("a.txt", "test-key-1\ntest-key-2\n");
    pool.write("b.txt", "# project: team\ntest-key-3\n");
    const sync = pool.sync();
    expect(await sync.start()).toMatchObject({ isReadable: true, keys: 3, added: 3 });
    expect(pool.store.keys.load().map(({ secret, project }) => [secret, project])).toEqual([
      ["test-key-1", null],
      ["test-key-2", null],
      ["test-key-3", "team"],
    ]);

    pool.write("a.txt", "# project: other\ntest-key-1\n");
    expect(await sync.sync()).toMatchObject({ keys: 2, relabelled: 1, retired: 1 });
    expect(pool.changes.at(-1)).toEqual({ added: [], relabelled: [], retired: [2] });

    pool.write("a.txt", "# project: other\ntest-key-1\ntest-key-2\n");
    expect(await sync.sync()).toMatchObject({ keys: 3, restored: 1 });
    expect(pool.changes.at(-1)?.added).toMatchObject([{ id: 2, project: "other", retiredAtMs: null }]);
  });

  test("a key in two files is one key, and stays while one of them has it", async () => {
    pool.write("a.txt", "test-key-1\n");
    pool.write("b.txt", "# project: p\ntest-key-1\n");
    const sync = pool.sync();
    expect(await sync.start()).toMatchObject({ keys: 1, duplicates: 1 });
    expect(pool.logged()).toContain("keys listed under two projects");
    rmSync(join(pool.keysDir, "a.txt"));
    expect(await sync.sync()).toMatchObject({ keys: 1, relabelled: 1, retired: 0 });
    expect(pool.store.keys.load()).toMatchObject([{ label: "p", sourceFile: "b.txt" }]);
  });

  test("a dropped file is picked up by itself, and one that goes takes its keys along", async () => {
    const sync = pool.sync();
    await sync.start();
    const added = pool.nextChange();
    pool.write("new.txt", "test-key-1\n");
    expect((await added).added).toMatchObject([{ secret: "test-key-1" }]);
    const retired = pool.nextChange();
    rmSync(join(pool.keysDir, "new.txt"));
    expect((await retired).retired).toEqual([1]);
  });

  test("a folder made after the start is found at the next interval", async () => {
    pool.write("a.txt", "test-key-1\n");
    await pool.sync().start();
    const away = join(pool.folder, "away");
    renameSync(pool.keysDir, away);
    using sync = pool.sync({ intervalMs: 10 });
    expect(await sync.start()).toMatchObject({ isReadable: false, keys: 1 });
    const added = pool.nextChange();
    writeFileSync(join(away, "b.txt"), "test-key-2\n");
    renameSync(away, pool.keysDir);
    expect((await added).added).toMatchObject([{ secret: "test-key-2" }]);
  });

  test("a missing folder is created when there is nothing to lose", async () => {
    rmSync(pool.keysDir, { recursive: true });
    expect(await pool.sync().start()).toMatchObject({ isReadable: true, keys: 0 });
    expect(pool.files()).toEqual([]);
  });

  test("dotfiles, README.md, editors' copies and sub-folders are not read; links to files are", async () => {
    for (const name of [".hidden", "README.md", "readme.MD", "a.txt~", "#a.txt#"])
      pool.write(name, `test-key-${name.length}00\n`);
    mkdirSync(join(pool.keysDir, "sub"));
    pool.write("sub/a.txt", "test-key-3\n");
    writeFileSync(join(pool.folder, "elsewhere.txt"), "test-key-4, test-key-5");
    symlinkSync(join(pool.folder, "elsewhere.txt"), join(pool.keysDir, "link"));
    pool.write("no-extension", "test-key-6\n");
    await pool.sync().start();
    expect(pool.inUse()).toEqual(["test-key-4", "test-key-5", "test-key-6"]);
  });

  test("syncs asked for at once share one run", async () => {
    const sync = pool.sync();
    await sync.start();
    const running = sync.sync();
    const second = sync.sync();
    expect(sync.sync()).toBe(second);
    expect(await Promise.all([running, second])).toHaveLength(2);
  });

  test("an empty folder that can be read retires all: that is what it says", async () => {
    pool.write("a.txt", "test-key-1\n");
    const sync = pool.sync();
    await sync.start();
    rmSync(join(pool.keysDir, "a.txt"));
    expect(await sync.sync()).toMatchObject({ keys: 0, retired: 1 });
  });
});

describe("the pool is never emptied by", () => {
  beforeEach(async () => {
    pool.write("a.txt", "test-key-1\ntest-key-2\n");
    pool.write("b.txt", "test-key-3\n");
    await pool.sync().start();
  });

  test("a folder that cannot be read", async () => {
    renameSync(pool.keysDir, `${pool.keysDir}-away`);
    expect(await pool.sync().start()).toMatchObject({ isReadable: false, keys: 3, retired: 0 });
    expect(pool.logged()).toContain("cannot be read (ENOENT)");
    expect(pool.inUse()).toHaveLength(3);
  });

  test("a folder that is away, of which it is told once, and once that it is back", async () => {
    const sync = pool.sync();
    renameSync(pool.keysDir, `${pool.keysDir}-away`);
    await sync.start();
    await sync.sync();
    expect(pool.logged().match(/"level":40/g)).toHaveLength(1);
    expect(pool.logged()).not.toContain("readable again");
    renameSync(`${pool.keysDir}-away`, pool.keysDir);
    await sync.sync();
    await sync.sync();
    expect(pool.logged().match(/readable again/g)).toHaveLength(1);
  });

  test("a file that is still being written: whole lines are added, nothing is retired", async () => {
    const sync = pool.sync({ ...NEVER_SETTLED, nowMs: Date.now });
    pool.write("a.txt", "test-key-4\ntest-key-half-writ");
    expect(await sync.start()).toMatchObject({ keys: 4, added: 1, retired: 0, keptInDoubt: 2 });
    expect(pool.inUse()).toEqual(["test-key-1", "test-key-2", "test-key-3", "test-key-4"]);
    expect(pool.read("a.txt")).toBe("test-key-4\ntest-key-half-writ");
  });

  test("a file that is missing for a moment", async () => {
    const sync = pool.sync({ ...NEVER_SETTLED, nowMs: Date.now });
    rmSync(join(pool.keysDir, "a.txt"));
    expect(await sync.start()).toMatchObject({ keys: 3, retired: 0, keptInDoubt: 2 });
  });

  test("a file dated in the future, which is believed once it has been seen to hold still", async () => {
    let nowMs = Date.now();
    const sync = pool.sync({ nowMs: () => nowMs });
    pool.write("a.txt", "test-key-1\n");
    const future = Date.now() / 1_000 + 86_400;
    utimesSync(join(pool.keysDir, "a.txt"), future, future);
    expect(await sync.start()).toMatchObject({ keys: 3, keptInDoubt: 1 });
    nowMs += 60_000;
    expect(await sync.sync()).toMatchObject({ keys: 2, retired: 1 });
  });

  test.each([
    ["binary", Buffer.from([0x74, 0x00, 0x65, 0x00])],
    ["JSON", Buffer.from('{ "private_key_id": "test-key-9" }')],
    ["too large", Buffer.alloc(16 * 1024 * 1024 + 1, "#")],
  ])("a file that is no key file: %s", async (_, bytes) => {
    writeFileSync(join(pool.keysDir, "a.txt"), bytes);
    expect(await pool.sync().start()).toMatchObject({ keys: 3, added: 0, keptInDoubt: 2 });
    expect(pool.logged()).toContain("key file not usable");
  });

  test("a link whose target is away", async () => {
    rmSync(join(pool.keysDir, "a.txt"));
    symlinkSync(join(pool.folder, "nowhere"), join(pool.keysDir, "a.txt"));
    expect(await pool.sync().start()).toMatchObject({ keys: 3, keptInDoubt: 2 });
  });

  test.skipIf(isRoot)("a file that may not be read", async () => {
    chmodSync(join(pool.keysDir, "a.txt"), 0);
    expect(await pool.sync().start()).toMatchObject({ keys: 3, keptInDoubt: 2 });
  });
});

test("no key is ever logged, not even one with a slip in it", async () => {
  pool.write("a.txt", 'test-key-1, test-key-2 "test"key-3 GEMINI_API_KEY=test-key-4\n');
  const sync = pool.sync({ nowMs: SETTLED });
  await sync.start();
  pool.write("a.txt", "test-key-1\n");
  await sync.sync();
  expect(pool.logged()).toContain("words in a key file that cannot be keys");
  expect(pool.logged()).not.toMatch(/test"?key|test-key/);
});

test("what is refused is told with its line in the file as tidying left it", async () => {
  pool.write("a.txt", "test-key-1, test-key-2\nYOUR_API_KEY\n");
  await pool.sync({ nowMs: SETTLED }).start();
  expect(pool.read("a.txt")).toBe("test-key-1\ntest-key-2\nYOUR_API_KEY\n");
  expect(pool.logged()).toContain('"refusals":[{"line":3,');
});
