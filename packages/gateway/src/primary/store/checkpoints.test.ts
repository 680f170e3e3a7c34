import Database from "better-sqlite3";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Checkpoints } from "./checkpoints.ts";
import { openDatabase } from "./open-database.ts";

const PAGE_BYTES = 4096;
let folder: string;
let path: string;
let database: Database.Database;
const failures: unknown[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  failures.length = 0;
  folder = mkdtempSync(join(tmpdir(), "checkpoints-"));
  path = join(folder, "gateway.db");
  database = openDatabase(path, false);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
  vi.useRealTimers();
});

/** So many pages in one commit. */
function write(pages: number, name: string): void {
  database.prepare("INSERT INTO meta (name, value) VALUES (?, ?)").run(name, "x".repeat(pages * PAGE_BYTES));
}

const inLog = (): number => statSync(`${path}-wal`).size / PAGE_BYTES;
const failed = (error: unknown): void => void failures.push(error);

test("what is written waits in the log for less than a megabyte, and then goes into the file", () => {
  using _checkpoints = new Checkpoints({ database, failed });
  for (let commit = 0; commit < 30; commit += 1) {
    write(60, `note-${commit}`);
    vi.advanceTimersByTime(100);
  }
  expect(inLog()).toBeLessThan(250);
  expect(statSync(path).size / PAGE_BYTES).toBeGreaterThan(1_500);
  expect(failures).toEqual([]);
});

test("a little is left where it is, however long", () => {
  using _checkpoints = new Checkpoints({ database, failed });
  const before = statSync(path).size;
  write(20, "note");
  vi.advanceTimersByTime(60_000);
  expect(statSync(path).size).toBe(before);
});

test("what a reader still looks at is left alone, holds no writer up, and is moved once the reader is gone", () => {
  using _checkpoints = new Checkpoints({ database, failed });
  const reader = new Database(path, { readonly: true });
  reader.exec("BEGIN");
  reader.pragma("schema_version");
  const before = statSync(path).size;
  write(300, "note");
  vi.advanceTimersByTime(100);
  write(1, "another");
  expect(statSync(path).size).toBe(before);
  reader.close();
  vi.advanceTimersByTime(100);
  expect(statSync(path).size - before).toBeGreaterThan(300 * PAGE_BYTES);
  expect(failures).toEqual([]);
});

test("a failure is told, and the next look tries again", () => {
  const closed = new Database(":memory:");
  closed.close();
  using _checkpoints = new Checkpoints({ database: closed, failed });
  vi.advanceTimersByTime(200);
  expect(failures).toHaveLength(2);
});
