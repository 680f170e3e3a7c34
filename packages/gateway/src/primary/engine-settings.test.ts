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
  expect(known).toMatch(/--initial-heap-size \(.*in Mbytes\)/);
});
