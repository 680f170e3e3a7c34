import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readKeyFile } from "../src/primary/keys/key-folder.ts";
import { NO_FILE, replaceFile } from "../src/primary/keys/replace-file.ts";
import { type KeyPoolFixture, keyPoolFixture, NEVER_SETTLED } from "./key-pool-fixture.ts";

let pool: KeyPoolFixture;
beforeEach(() => {
  pool = keyPoolFixture();
});
afterEach(() => pool[Symbol.dispose]());

const isRoot = process.getuid?.() === 0;
const UNTIDY = "test-key-1, test-key-2 # two\r\n";
const TIDY = "test-key-1\ntest-key-2 # two\n";

const stampOfFile = async (path: string): Promise<string> => {
  const content = await readKeyFile(path);
  return content.kind === "text" ? content.stamp : NO_FILE;
};

describe("tidying", () => {
  test("gives each key a line, keeps mode and comments, and does not start the sync anew", async () => {
    pool.write("a.txt", UNTIDY);
    chmodSync(join(pool.keysDir, "a.txt"), 0o640);
    const sync = pool.sync();
    await sync.start();
    expect(pool.read("a.txt")).toBe(TIDY);
    expect(statSync(join(pool.keysDir, "a.txt")).mode & 0o777).toBe(0o640);
    expect(pool.files()).toEqual(["a.txt"]);
    const stamp = await stampOfFile(join(pool.keysDir, "a.txt"));
    expect(await sync.sync()).toMatchObject({ keys: 2, added: 0, retired: 0, keptInDoubt: 0 });
    expect(await stampOfFile(join(pool.keysDir, "a.txt"))).toBe(stamp);
  });

  test.skipIf(!isRoot)("keeps the owner", async () => {
    pool.write("a.txt", UNTIDY);
    chownSync(join(pool.keysDir, "a.txt"), 12_345, 23_456);
    await pool.sync().start();
    expect(pool.read("a.txt")).toBe(TIDY);
    expect(statSync(join(pool.keysDir, "a.txt"))).toMatchObject({ uid: 12_345, gid: 23_456 });
  });

  test("waits until the file has held still", async () => {
    pool.write("a.txt", UNTIDY);
    const sync = pool.sync({ ...NEVER_SETTLED, nowMs: Date.now });
    expect(await sync.start()).toMatchObject({ keys: 2 });
    expect(pool.read("a.txt")).toBe(UNTIDY);
  });

  test("uses a read-only file as it is", async () => {
    pool.write("a.txt", UNTIDY);
    chmodSync(join(pool.keysDir, "a.txt"), 0o444);
    expect(await pool.sync().start()).toMatchObject({ keys: 2 });
    expect(pool.read("a.txt")).toBe(UNTIDY);
  });

  test.skipIf(isRoot)("uses the files of a read-only folder as they are", async () => {
    pool.write("a.txt", UNTIDY);
    chmodSync(pool.keysDir, 0o555);
    expect(await pool.sync().start()).toMatchObject({ keys: 2 });
    expect(pool.read("a.txt")).toBe(UNTIDY);
    chmodSync(pool.keysDir, 0o755);
  });

  test("does not touch a file that is not UTF-8, whose comments it would spoil", async () => {
    const bytes = Buffer.from("# gekauft f\xfcr Anna\ntest-key-1, test-key-2\n", "latin1");
    writeFileSync(join(pool.keysDir, "a.txt"), bytes);
    expect(await pool.sync().start()).toMatchObject({ keys: 2 });
    expect(readFileSync(join(pool.keysDir, "a.txt"))).toEqual(bytes);
  });

  test("goes through a link and leaves the link in place", async () => {
    const target = join(pool.folder, "elsewhere.txt");
    writeFileSync(target, UNTIDY);
    symlinkSync(target, join(pool.keysDir, "link.txt"));
    await pool.sync().start();
    expect(readFileSync(target, "utf8")).toBe(TIDY);
    expect(lstatSync(join(pool.keysDir, "link.txt")).isSymbolicLink()).toBe(true);
  });

  test("deletes what a gateway that died while tidying left behind, but nothing of another's", async () => {
    const old = new Date(Date.now() - 3_600_000);
    for (const name of [".gemini-gateway-dead.tmp", ".other.tmp"]) {
      pool.write(name, "test-key-1\n");
      utimesSync(join(pool.keysDir, name), old, old);
    }
    pool.write(".gemini-gateway-alive.tmp", "test-key-2\n");
    await pool.sync({ nowMs: Date.now }).start();
    expect(pool.files()).toEqual([".gemini-gateway-alive.tmp", ".other.tmp"]);
  });
});

describe("replacing a file", () => {
  test("does nothing when the file is no longer the one that was read", async () => {
    const path = join(pool.keysDir, "a.txt");
    pool.write("a.txt", UNTIDY);
    const stamp = await stampOfFile(path);
    pool.write("a.txt", "test-key-3\n");
    expect(await replaceFile(path, TIDY, stamp)).toEqual({ kind: "changed" });
    expect(await replaceFile(path, TIDY, NO_FILE)).toEqual({ kind: "changed" });
    expect(pool.read("a.txt")).toBe("test-key-3\n");
    expect(pool.files()).toEqual(["a.txt"]);
  });

  test("creates a missing file for its owner only", async () => {
    const path = join(pool.keysDir, "new.txt");
    expect(await replaceFile(path, TIDY, NO_FILE)).toMatchObject({ kind: "replaced" });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("leaves the original and no copy when the disk is full", async ({ skip }) => {
    const disk = join(pool.folder, "disk");
    mkdirSync(disk);
    const isMounted = isRoot && process.platform === "linux" && tryMount(disk);
    if (!isMounted) skip("needs the right to mount a small disk");
    try {
      const path = join(disk, "a.txt");
      writeFileSync(path, UNTIDY);
      const tooMuch = "test-key-1\n".repeat(50_000);
      await expect(replaceFile(path, tooMuch, await stampOfFile(path))).rejects.toMatchObject({
        code: "ENOSPC",
      });
      expect(readFileSync(path, "utf8")).toBe(UNTIDY);
      expect(readdirSync(disk)).toEqual(["a.txt"]);
    } finally {
      execFileSync("umount", [disk]);
    }
    rmSync(disk, { recursive: true });
    expect(existsSync(disk)).toBe(false);
  });
});

function tryMount(path: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
