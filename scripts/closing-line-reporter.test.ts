/** The closing line tells the truth about a real run of vitest, above all about one that broke outside its tests. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "closing-line-"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("counts what passed, failed and was skipped", () => {
  const ended = run(
    `test("a", () => {}); test("b", () => expect(1).toBe(2)); test.skip("c", () => {}); test.todo("d");`,
  );
  expect(ended).toEqual({
    lastLine: "1 passed, 1 failed, 2 skipped",
    tally: "1 passed, 1 failed, 2 skipped\n",
    code: 1,
  });
});

test("leaves the skipped out when there are none", () => {
  expect(run(`test("a", () => {});`)).toMatchObject({ lastLine: "1 passed, 0 failed", code: 0 });
});

test("counts a file that cannot load as failed", () => {
  expect(run(`throw new Error("planted");`)).toMatchObject({ lastLine: "0 passed, 1 failed", code: 1 });
});

test("counts a broken hook of a suite as failed", () => {
  const ended = run(
    `describe("s", () => { afterAll(() => { throw new Error("planted"); }); test("a", () => {}); });`,
  );
  expect(ended).toMatchObject({ lastLine: "1 passed, 1 failed", code: 1 });
});

test("counts a rejection nobody handled as failed", () => {
  const ended = run(`test("a", () => { Promise.reject(new Error("planted")); });`);
  expect(ended).toMatchObject({ lastLine: "1 passed, 1 failed", code: 1 });
});

/** Runs one test file with the reporter, as `pnpm test` does, and says how it ended. */
function run(source: string): { lastLine: string | undefined; tally: string; code: number | null } {
  writeFileSync(
    join(folder, "a.test.ts"),
    `import { afterAll, describe, expect, test } from "vitest";\n${source}\n`,
  );
  const tallyFile = join(folder, "tally");
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const reporter = join(ROOT, "scripts/closing-line-reporter.ts");
  const ended = spawnSync(process.execPath, [vitest, "run", "--root", folder, "--reporter", reporter], {
    cwd: folder,
    env: { ...process.env, TEST_TALLY_FILE: tallyFile },
    encoding: "utf8",
  });
  const lastLine = ended.stdout.trimEnd().split("\n").at(-1);
  return { lastLine, tally: readFileSync(tallyFile, "utf8"), code: ended.status };
}
