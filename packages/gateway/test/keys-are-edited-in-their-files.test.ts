import { chmodSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addKeys, removeKeys } from "../src/primary/keys/edit-files.ts";
import { fingerprint } from "../src/primary/keys/fingerprint.ts";
import { type KeyPoolFixture, keyPoolFixture } from "./key-pool-fixture.ts";

let pool: KeyPoolFixture;
beforeEach(() => {
  pool = keyPoolFixture();
});
afterEach(() => pool[Symbol.dispose]());

describe("adding keys", () => {
  test("creates folder and file for their owner only, and answers with fingerprints", async () => {
    rmSync(pool.keysDir, { recursive: true });
    const report = await addKeys(pool.keysDir, { text: "test-key-1 test-key-2\nYOUR_API_KEY" });
    expect(report).toEqual({
      file: "added.txt",
      added: [fingerprint("test-key-1"), fingerprint("test-key-2")],
      alreadyThere: 0,
      refused: [{ line: 2, reason: "the placeholder YOUR_API_KEY, not a key" }],
      refusedCount: 1,
    });
    expect(pool.read("added.txt")).toBe("test-key-1\ntest-key-2\n");
    expect(statSync(pool.keysDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(pool.keysDir, "added.txt")).mode & 0o777).toBe(0o600);
  });

  test("appends, and puts no key there that some file has", async () => {
    pool.write("mine.txt", "test-key-1\n");
    pool.write("added.txt", "# kept\ntest-key-2");
    const report = await addKeys(pool.keysDir, { text: "test-key-1,test-key-2,test-key-3,test-key-3" });
    expect(report).toMatchObject({ added: [fingerprint("test-key-3")], alreadyThere: 3 });
    expect(pool.read("added.txt")).toBe("# kept\ntest-key-2\ntest-key-3\n");
  });

  test("labels them, and ends the label so that keys added by hand do not fall under it", async () => {
    pool.write("added.txt", "# project: old\ntest-key-1\n");
    await addKeys(pool.keysDir, { text: "test-key-2\n# project: own\ntest-key-3", project: "new" });
    await addKeys(pool.keysDir, { text: "test-key-4" });
    expect(pool.read("added.txt")).toBe(
      "# project: old\ntest-key-1\n# project: new\ntest-key-2\n# project: own\ntest-key-3\n# project:\ntest-key-4\n",
    );
  });

  test("writes nothing when there is nothing new", async () => {
    await addKeys(pool.keysDir, { text: "# only words\n" });
    expect(pool.files()).toEqual([]);
  });

  test.each(["../out.txt", ".hidden", "README.md", "a/b.txt", "copy~", ""])(
    "refuses the file name %j",
    async (file) => {
      await expect(addKeys(pool.keysDir, { text: "test-key-1", file })).rejects.toMatchObject({
        code: "bad-request",
      });
      expect(pool.files()).toEqual([]);
    },
  );

  test("says so when the file is read-only", async () => {
    pool.write("added.txt", "test-key-1\n");
    chmodSync(join(pool.keysDir, "added.txt"), 0o444);
    await expect(addKeys(pool.keysDir, { text: "test-key-2" })).rejects.toThrow("read-only");
    expect(pool.read("added.txt")).toBe("test-key-1\n");
  });

  test("several at a time lose nothing", async () => {
    const texts = Array.from({ length: 4 }, (_, index) => `test-key-${index}`);
    await Promise.all(texts.map((text) => addKeys(pool.keysDir, { text })));
    expect(pool.read("added.txt").trim().split("\n").toSorted()).toEqual(texts);
  });
});

describe("removing keys", () => {
  test("takes them out of every file, keeps the comments, and tells what it did not find", async () => {
    pool.write("a.txt", "# mine\ntest-key-1 # first\ntest-key-2\n");
    pool.write("b.txt", "test-key-1, test-key-3\n");
    pool.write("c.txt", "test-key-4   test-key-5\n");
    const gone = fingerprint("test-key-1");
    expect(await removeKeys(pool.keysDir, [gone, "k-unknown"])).toEqual({
      removed: [gone],
      unknown: ["k-unknown"],
      files: ["a.txt", "b.txt"],
      failed: [],
    });
    expect(pool.read("a.txt")).toBe("# mine\n# first\ntest-key-2\n");
    expect(pool.read("b.txt")).toBe("test-key-3\n");
    expect(pool.read("c.txt")).toBe("test-key-4   test-key-5\n");
  });

  test("finds a key by a fingerprint that was lengthened", async () => {
    pool.write("a.txt", "test-key-1\ntest-key-2\n");
    const long = fingerprint("test-key-1", 16);
    expect(await removeKeys(pool.keysDir, [long])).toMatchObject({ removed: [long] });
    expect(pool.read("a.txt")).toBe("test-key-2\n");
  });

  test("reports a file it may not change, and that the key still stands there", async () => {
    pool.write("a.txt", "test-key-1\n");
    chmodSync(join(pool.keysDir, "a.txt"), 0o444);
    const report = await removeKeys(pool.keysDir, [fingerprint("test-key-1")]);
    expect(report).toMatchObject({ removed: [], files: [], failed: [{ file: "a.txt" }] });
    expect(pool.read("a.txt")).toBe("test-key-1\n");
  });

  test("is believed at once by a sync that is told of the file", async () => {
    pool.write("a.txt", "test-key-1\ntest-key-2\n");
    const sync = pool.sync({ settleMs: 3_600_000, removalSettleMs: 3_600_000, nowMs: Date.now });
    await sync.start();
    const { files } = await removeKeys(pool.keysDir, [fingerprint("test-key-1")]);
    expect(await sync.sync(files)).toMatchObject({ keys: 1, retired: 1 });
  });
});
