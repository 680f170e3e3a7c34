/** The log of a gateway that stops, read by somebody who begins late and takes his time: every line is there, whole and in order. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const WRITER = fileURLToPath(new URL("harness/log-writer.ts", import.meta.url));
/** Of a kilobyte each: many times what a pipe holds. */
const LINES = 2_000;

it("writes every line whole and in order, also to a slow reader", async () => {
  const child = spawn(process.execPath, [WRITER, String(LINES)], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  await once(child.stderr, "data");
  let text = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    text += chunk;
    for (let turns = 0; turns < 5; turns += 1) await turn();
  }
  const lines = text.trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { line: number }).line)).toEqual(
    Array.from({ length: LINES }, (_, line) => line),
  );
  expect(await exited).toEqual([0, null]);
});
