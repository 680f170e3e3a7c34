import { execFileSync, spawnSync } from "node:child_process";
import { expect, it } from "vitest";

const SETTINGS = new URL("./engine-settings.ts", import.meta.url).href;

function run(program: string): { readonly output: string; readonly complaints: string } {
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
  });
  return { output: stdout, complaints: stderr };
}

it("asks nothing of V8 that this version does not know", () => {
  const asked = run(`import { setEngine } from ${JSON.stringify(SETTINGS)}; setEngine();`);
  expect(asked.complaints).toBe("");
  // The complaint that a name which is gone would bring.
  const unknown = run('import { setFlagsFromString } from "node:v8"; setFlagsFromString("--no-such-thing");');
  expect(unknown.complaints).toContain("--no-such-thing");
});

it("names settings with their present meaning", () => {
  const known = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8" });
  expect(known).toMatch(/--memory-reducer \(.*\)\s+type: bool {2}default: --memory-reducer\s/);
  expect(known).toMatch(/--parallel-scavenge \(.*\)\s+type: bool {2}default: --parallel-scavenge\s/);
  expect(known).toMatch(/--heap-growing-percent \(.*1 \+ heap_growing_percent/);
  expect(known).toMatch(/--initial-heap-size \(.*in Mbytes\)/);
});

it.runIf(process.platform === "linux")(
  "lets V8's helper threads wait for those that serve, and no other thread",
  () => {
    const { output } = run(`
    import { readdirSync, readFileSync } from "node:fs";
    import { getPriority } from "node:os";
    import { Worker } from "node:worker_threads";
    import { setEngine } from ${JSON.stringify(SETTINGS)};
    const ordinary = getPriority(0);
    setEngine();
    const worker = new Worker("require('node:worker_threads').parentPort.on('message', () => {})", { eval: true });
    await new Promise((resolve) => worker.once("online", resolve));
    const nicer = { helpers: 0, others: 0 };
    for (const thread of readdirSync("/proc/self/task")) {
      if (getPriority(Number(thread)) === ordinary) continue;
      nicer[readFileSync("/proc/self/task/" + thread + "/comm", "utf8").includes("V8Worker") ? "helpers" : "others"] += 1;
    }
    console.log(JSON.stringify(nicer));
    await worker.terminate();
  `);
    const { helpers, others } = JSON.parse(output) as { readonly helpers: number; readonly others: number };
    expect(helpers).toBeGreaterThan(0);
    expect(others).toBe(0);
  },
);
