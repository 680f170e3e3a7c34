import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import type { RunningStatus } from "../src/control/types.ts";
import { startPool, type Pool } from "./harness/pool.ts";
import { ask } from "./harness/requests.ts";

const PROGRAM = fileURLToPath(new URL("../bin/gemini-gateway.js", import.meta.url));

/** `gemini-gateway status` beside the pool's gateway, and the lines it prints. */
function status(pool: Pool, ...flags: string[]) {
  const args = [
    PROGRAM,
    "status",
    "--database",
    pool.config.database,
    "--keys-dir",
    pool.config.keysDir,
    ...flags,
  ];
  const child = spawn(process.execPath, args, { cwd: pool.folder, stdio: ["ignore", "pipe", "inherit"] });
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

it("prints a table in 80 columns", async () => {
  await using pool = await startPool();
  await (await ask(pool.url)).text();
  await pool.requestLogged();
  const { child, lines } = status(pool);
  const exited = once(child, "exit");
  const printed: string[] = [];
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) printed.push(next.value);
  expect(await exited).toEqual([0, null]);
  expect(printed.join("\n")).toMatch(
    /^Serving on http.*^Keys: +3.*^Last 30m: +1 requests, 100% served.*^MODEL +READY/ms,
  );
  expect(printed.filter((line) => line.length > 80)).toEqual([]);
});

it("goes on printing until Ctrl-C, without a trace of the screen's control where there is none", async () => {
  await using pool = await startPool();
  const { child, lines } = status(pool, "--watch", "--json");
  const first = JSON.parse(String((await lines.next()).value)) as RunningStatus;
  await (await ask(pool.url)).text();
  await pool.requestLogged();
  const totals = [first.requests.total];
  while (totals.at(-1) === 0) {
    totals.push((JSON.parse(String((await lines.next()).value)) as RunningStatus).requests.total);
  }
  expect([totals[0], totals.at(-1)]).toEqual([0, 1]);
  const exited = once(child, "exit");
  child.kill("SIGINT");
  expect(await exited).toEqual([0, null]);
});
