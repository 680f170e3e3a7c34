import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startPool } from "./harness/pool.ts";
import { ask, MODEL } from "./harness/requests.ts";

const REPORT = /^=== \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC ===\n(?:\S.*\n)+\n/;
const WRITER = fileURLToPath(new URL("harness/status-file-writer.ts", import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gateway-status-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** How many reports the text is made of; every one of them must be whole. */
function wholeReports(text: string): number {
  let rest = text;
  let reports = 0;
  while (rest !== "") {
    const [report = ""] = REPORT.exec(rest) ?? [];
    if (report === "") throw new Error(`not a whole report: ${rest.slice(0, 200)}`);
    rest = rest.slice(report.length);
    reports += 1;
  }
  return reports;
}

it("writes one when it starts and then as time passes, each below the last", async () => {
  await using pool = await startPool({ flags: { "status-interval": "1s" } });
  const path = join(pool.folder, "status.txt");
  await (await ask(pool.url)).text();
  await pool.requestLogged();
  const line = `${MODEL}: available keys 3, unavailable keys 0, requests in the last 30 minutes 1`;
  await expect.poll(() => readFileSync(path, "utf8"), { timeout: 5_000 }).toContain(line);
  expect(wholeReports(readFileSync(path, "utf8"))).toBeGreaterThan(1);
  expect(readdirSync(pool.folder).filter((name) => name.startsWith("status.txt"))).toEqual(["status.txt"]);
});

it("goes on below what an earlier run wrote, and keeps the permissions it finds", async () => {
  await using pool = await startPool({ flags: { "status-interval": "24h" } });
  const path = join(pool.folder, "status.txt");
  await expect.poll(() => wholeReports(readFileSync(path, "utf8"))).toBe(1);
  const mode = statSync(path).mode;
  await pool.restart();
  await expect.poll(() => wholeReports(readFileSync(path, "utf8"))).toBe(2);
  expect(statSync(path).mode).toBe(mode);
});

it("serves without one: switched off, or where none can be written", async () => {
  await using off = await startPool({ flags: { "status-file": "none" } });
  expect((await ask(off.url)).status).toBe(200);
  const blocked = join(folder, "status.txt");
  await mkdir(blocked);
  await using pool = await startPool({ flags: { "status-file": blocked } });
  expect((await ask(pool.url)).status).toBe(200);
  await expect.poll(() => pool.logLines.join("")).toContain("the status file cannot be written");
});

it("loses no report and never shows half of one, however often its writer is killed", async () => {
  const path = join(folder, "status.txt");
  const bytesMax = 64 * 1024;
  let before = 0;
  for (let round = 0; round < 8; round += 1) {
    const writer = spawn(process.execPath, [WRITER, path, String(bytesMax)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(writer, "exit");
    // Killed in the middle of the report that follows the first.
    await once(writer.stdout, "data");
    expect(wholeReports(readFileSync(path, "utf8"))).toBeGreaterThan(0);
    writer.kill("SIGKILL");
    await exited;
    const reports = wholeReports(readFileSync(path, "utf8"));
    expect(reports).toBeGreaterThan(before);
    before = reports;
  }
});

it("stays within its size, by leaving out the oldest reports", async () => {
  const path = join(folder, "status.txt");
  await writeFile(path, "=== 2020-01-01 00:00:00 UTC ===\nold: 1\n\n".repeat(10_000));
  await using _pool = await startPool({ flags: { "status-file": path, "status-file-size": "1KB" } });
  await expect.poll(() => statSync(path).size).toBeLessThanOrEqual(1024);
  const text = readFileSync(path, "utf8");
  expect(wholeReports(text)).toBeGreaterThan(1);
  expect(text.trimEnd().split("\n").at(-1)).toMatch(/^all models: keys 3/);
});
