/** The code that Node compiled is kept for the next start, in a folder nobody else writes to. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
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
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PROGRAM, startProgram } from "./harness/program.ts";

const SOURCE = join(import.meta.dirname, "../src");
const NOBODY = 65_534;
/** Nobody connects to it. */
const UPSTREAM = "http://127.0.0.1:9";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gateway-compiled-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function version(env: Readonly<Record<string, string>>): { code: number | null; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, "--version"], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...env },
    encoding: "utf8",
  });
  return { code: status, stderr };
}

/** Whether code of this source file is kept below a folder: what is kept of TypeScript has its text without the types. */
function keeps(path: string, source: string): boolean {
  const [comment = ""] = /^\/\*\*[^]*?\*\//.exec(readFileSync(join(SOURCE, source), "utf8")) ?? [];
  expect(comment).not.toBe("");
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .some((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(comment));
}

describe("compiled code", () => {
  it("is kept in the user's cache folder, that of the threads too", async () => {
    const env = { XDG_CACHE_HOME: folder, NODE_COMPILE_CACHE: "" };
    await using program = await startProgram(UPSTREAM, { env });
    program.process.kill("SIGTERM");
    await once(program.process, "exit");
    const kept = join(folder, "gemini-gateway");
    expect(keeps(kept, "primary/supervisor.ts")).toBe(true);
    expect(keeps(kept, "worker/http-worker.ts")).toBe(true);
  });

  it("is kept in the home folder when no cache folder is named", () => {
    for (const env of [{}, { XDG_CACHE_HOME: "not/absolute" }]) {
      expect(version({ HOME: folder, ...env })).toEqual({ code: 0, stderr: "" });
      expect(keeps(join(folder, ".cache", "gemini-gateway"), "cli.ts")).toBe(true);
      expect(readdirSync(folder)).toEqual([".cache"]);
      rmSync(join(folder, ".cache"), { recursive: true });
    }
  });

  it("is kept where NODE_COMPILE_CACHE says", () => {
    const named = join(folder, "named");
    expect(version({ HOME: folder, NODE_COMPILE_CACHE: named })).toEqual({ code: 0, stderr: "" });
    expect(keeps(named, "cli.ts")).toBe(true);
    expect(existsSync(join(folder, ".cache"))).toBe(false);
  });

  it("is not kept when NODE_DISABLE_COMPILE_CACHE says so", () => {
    expect(version({ HOME: folder, NODE_DISABLE_COMPILE_CACHE: "1" })).toEqual({ code: 0, stderr: "" });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is kept where only this user can write", () => {
    expect(version({ XDG_CACHE_HOME: folder })).toEqual({ code: 0, stderr: "" });
    expect(statSync(join(folder, "gemini-gateway")).mode & 0o777).toBe(0o700);
  });

  it("is neither kept in nor read from a folder that others may write to", () => {
    const open = join(folder, "gemini-gateway");
    mkdirSync(open);
    chmodSync(open, 0o777);
    expect(version({ XDG_CACHE_HOME: folder })).toEqual({ code: 0, stderr: "" });
    expect(readdirSync(open)).toEqual([]);
  });

  it.skipIf(process.getuid?.() !== 0)("nor in somebody else's (skipped unless run by root)", () => {
    const foreign = join(folder, "gemini-gateway");
    mkdirSync(foreign);
    chownSync(foreign, NOBODY, NOBODY);
    expect(version({ XDG_CACHE_HOME: folder })).toEqual({ code: 0, stderr: "" });
    expect(readdirSync(foreign)).toEqual([]);
  });

  it("is not kept where nothing can be written, without a word", () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect(version({ HOME: file })).toEqual({ code: 0, stderr: "" });
    expect(version({ HOME: "" })).toEqual({ code: 0, stderr: "" });
  });
});
