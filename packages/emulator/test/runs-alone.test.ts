import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { startEmulator } from "../src/emulator.ts";
import type { Emulator } from "../src/emulator.ts";
import { eventsOf, post, SSE, UNARY } from "./client.ts";

const PROGRAM = fileURLToPath(new URL("../bin/gemini-emulator.js", import.meta.url));

interface Run {
  readonly child: ChildProcess;
  readonly firstLine: Promise<string>;
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>;
}

function run(...args: readonly string[]): Run {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const firstLine = once(child.stdout.setEncoding("utf8"), "data").then(([text]) => String(text));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, errors }));
  return { child, firstLine, ended };
}

async function withScript<T>(script: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "gemini-emulator-"));
  try {
    const path = join(folder, "script.json");
    await writeFile(path, script);
    return await use(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("runs alone", () => {
  it("serves a script's keys and faults, says where, and ends in order", async () => {
    const script = {
      projects: [{ name: "scripted", keys: ["test-key-9"] }],
      models: [{ name: "gemini-2.5-flash", events: 2 }],
      resources: { jobPolls: 1, uploadHost: "localhost" },
      faults: [
        { match: { operation: "generateContent" }, times: 1, fault: { kind: "error", error: "quota-day" } },
      ],
    };
    await withScript(JSON.stringify(script), async (path) => {
      const { child, firstLine, ended } = run("--port", "0", "--json", "--script", path);
      const { url } = JSON.parse(await firstLine) as { url: string };
      const remote = { url } as Emulator;
      const key = { "x-goog-api-key": "test-key-9" };
      expect((await post(remote, UNARY, undefined, key)).status).toBe(429);
      expect(await (await post(remote, UNARY, undefined, key)).text()).toContain("project scripted");
      expect(eventsOf(await (await post(remote, SSE, undefined, key)).text())).toHaveLength(2);
      child.kill("SIGTERM");
      expect((await ended).code).toBe(0);
    });
  });

  it.each([
    ['{"faults":[{"fault":{"kind":"nonsense"}}]}', 'faults[0].fault.kind: "nonsense" is not one of'],
    ['{"projects":[{"name":"a"}]}', 'projects[0]: "keys" is missing'],
    [
      '{"projects":[{"name":"a","keys":[],"quota":1}]}',
      'projects[0]: "quota" is unknown; known are name, keys',
    ],
    ['{"faults":[{"fault":{"kind":"cut"}}]}', 'faults[0].fault: "afterEvents" is missing'],
    ["{", "not JSON"],
  ])("refuses the script %s", async (script, reason) => {
    await withScript(script, async (path) => {
      const { code, errors } = await run("--port", "0", "--script", path).ended;
      expect(code).toBe(2);
      expect(errors).toContain(reason);
      expect(errors.trim().split("\n")).toHaveLength(1);
    });
  });

  it("refuses an unknown option and a bad port, and explains itself", async () => {
    expect((await run("--prot", "1").ended).code).toBe(2);
    expect((await run("--port", "high").ended).errors).toContain('not "high"');
    const help = run("--help");
    expect(await help.firstLine).toContain("--script <file>");
    expect((await help.ended).code).toBe(0);
  });
});

describe("costs next to nothing in minimal mode", () => {
  it("serves prepared answers, counts them, and leaves the rest to the full service", async () => {
    await using emulator = await startEmulator({
      minimal: true,
      models: [{ name: "bench", events: 3, intervalMs: 5 }],
    });
    const unary = await post(emulator, UNARY);
    expect(await unary.json()).toMatchObject({ candidates: [{ finishReason: "STOP" }] });
    const stream = await post(emulator, SSE.replace("gemini-2.5-flash", "bench"));
    expect(eventsOf(await stream.text())).toHaveLength(3);
    expect(emulator.calls.total).toBe(2);
    expect(emulator.calls.byKey("test-key-1")).toBe(2);
    expect(emulator.calls.recent()).toEqual([]);
    expect((await post(emulator, UNARY, {}, {})).status).toBe(403);
    expect(emulator.openStreams).toBe(0);
  });
});
