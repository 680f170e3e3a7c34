/**
 * The walls hold: each case plants one file in a copy of the lint set-up and asks oxlint about it. A wall nobody has
 * seen refuse something may be a misspelt rule name.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** One planted file: where, what, and the rule that must refuse it (`undefined`: it must pass). */
type Plant = readonly [path: string, source: string, rule: string | undefined];

const LAYERS = "walls(layers)";
const GLOBALS = "eslint(no-restricted-globals)";
const PROPERTIES = "eslint(no-restricted-properties)";

const PLANTS: readonly Plant[] = [
  // core
  ["packages/core/src/a1.ts", `import { readFileSync } from "node:fs";\nreadFileSync("x");`, LAYERS],
  ["packages/core/src/a2.ts", `import { connect } from "node:net";\nconnect(1);`, LAYERS],
  [
    "packages/core/src/a3.ts",
    `import { setTimeout as wait } from "node:timers/promises";\nawait wait(1);`,
    LAYERS,
  ],
  ["packages/core/src/a4.ts", `import { request } from "undici";\nvoid request("x");`, LAYERS],
  ["packages/core/src/a5.ts", `import { x } from "../../gemini/src/x.ts";\nvoid x;`, LAYERS],
  [
    "packages/core/src/a6.ts",
    `import type { X } from "@gemini-gateway/gemini/x";\nexport type Y = X;`,
    LAYERS,
  ],
  ["packages/core/src/a7.ts", `void (await import("node:http"));`, LAYERS],
  ["packages/core/src/a8.ts", `export const late = Date.now();`, PROPERTIES],
  ["packages/core/src/a9.ts", `export const late = new Date();`, "walls(no-ambient-date)"],
  ["packages/core/src/b1.ts", `export const luck = Math.random();`, PROPERTIES],
  ["packages/core/src/b2.ts", `export const { random } = Math;`, PROPERTIES],
  ["packages/core/src/b3.ts", `export const late = performance.now();`, GLOBALS],
  ["packages/core/src/b4.ts", `setTimeout(String, 5);`, GLOBALS],
  ["packages/core/src/b5.ts", `export const home = process.cwd();`, GLOBALS],
  ["packages/core/src/b6.ts", `export const home = globalThis.process.cwd();`, GLOBALS],
  ["packages/core/src/b7.ts", `export const id = crypto.randomUUID();`, GLOBALS],
  ["packages/core/src/ok1.ts", `export const at = (nowMs: number) => new Date(nowMs).getTime();`, undefined],
  [
    "packages/core/src/ok2.ts",
    `import { at } from "./ok1.ts";\nexport const hour = at(1) / 3_600_000;`,
    undefined,
  ],
  [
    "packages/core/src/ok3.ts",
    `import { Buffer } from "node:buffer";\nexport const b = Buffer.alloc(1);`,
    undefined,
  ],
  // http1
  ["packages/gateway/src/http1/a1.ts", `import { connect } from "node:net";\nconnect(1);`, LAYERS],
  [
    "packages/gateway/src/http1/a2.ts",
    `import type { X } from "../worker/x.ts";\nexport type Y = X;`,
    LAYERS,
  ],
  ["packages/gateway/src/http1/a3.ts", `import { x } from "../config.ts";\nvoid x;`, LAYERS],
  // gemini
  ["packages/gemini/src/a1.ts", `import { x } from "gemini-gateway";\nvoid x;`, LAYERS],
  ["packages/gemini/src/a2.ts", `import { readFileSync } from "node:fs";\nreadFileSync("x");`, LAYERS],
  ["packages/gemini/src/a3.ts", `import { x } from "../../emulator/src/x.ts";\nvoid x;`, LAYERS],
  ["packages/gemini/src/a4.ts", `export const late = Date.now();`, PROPERTIES],
  [
    "packages/gemini/src/ok1.ts",
    `import type { X } from "@gemini-gateway/core/x";\nexport type Y = X;`,
    undefined,
  ],
  // gateway
  ["packages/gateway/src/a1.ts", `import { x } from "gemini-emulator";\nvoid x;`, LAYERS],
  ["packages/gateway/src/ok1.ts", `import { x } from "@gemini-gateway/gemini/x";\nvoid x;`, undefined],
  ["packages/gateway/src/a2.ts", `import Database from "better-sqlite3";\nvoid Database;`, LAYERS],
  [
    "packages/gateway/src/protocol.ts",
    `import type { X } from "./primary/x.ts";\nexport type Y = X;`,
    LAYERS,
  ],
  [
    "packages/gateway/src/config/a1.ts",
    `import type { X } from "../control/x.ts";\nexport type Y = X;`,
    LAYERS,
  ],
  [
    "packages/gateway/src/control/ok1.ts",
    `import type { X } from "../primary/x.ts";\nexport type Y = X;`,
    undefined,
  ],
  ["packages/gateway/src/primary/a1.ts", `import { x } from "../worker/x.ts";\nvoid x;`, LAYERS],
  ["packages/gateway/src/primary/a2.ts", `import { Agent } from "undici";\nvoid new Agent();`, LAYERS],
  ["packages/gateway/src/primary/a3.ts", `import { x } from "gemini-emulator";\nvoid x;`, LAYERS],
  [
    "packages/gateway/src/primary/ok1.ts",
    `import Database from "better-sqlite3";\nvoid Database;`,
    undefined,
  ],
  ["packages/gateway/src/worker/a1.ts", `import Database from "better-sqlite3";\nvoid Database;`, LAYERS],
  ["packages/gateway/src/worker/a2.ts", `import { x } from "../primary/x.ts";\nvoid x;`, LAYERS],
  [
    "packages/gateway/src/worker/a3.ts",
    `import type { X } from "../prober/x.ts";\nexport type Y = X;`,
    LAYERS,
  ],
  ["packages/gateway/src/worker/a4.ts", `void (await import("../primary/x.ts"));`, LAYERS],
  [
    "packages/gateway/src/worker/a5.ts",
    `import type { X } from "../control/x.ts";\nexport type Y = X;`,
    LAYERS,
  ],
  ["packages/gateway/src/worker/a6.ts", `import { Agent } from "undici";\nvoid new Agent();`, LAYERS],
  ["packages/gateway/src/worker/http2-pool.ts", `import { Pool } from "undici";\nvoid Pool;`, undefined],
  ["packages/gateway/src/prober/a1.ts", `import Database from "better-sqlite3";\nvoid Database;`, LAYERS],
  ["packages/gateway/src/prober/a2.ts", `import { x } from "../worker/x.ts";\nvoid x;`, LAYERS],
  ["packages/gateway/test/ok1.test.ts", `import { x } from "gemini-emulator";\nvoid x;`, undefined],
  // emulator
  ["packages/emulator/src/a1.ts", `import { x } from "gemini-gateway";\nvoid x;`, LAYERS],
  ["packages/emulator/src/a2.ts", `import { x } from "../../gateway/src/x.ts";\nvoid x;`, LAYERS],
  ["packages/emulator/src/ok1.ts", `import { x } from "@gemini-gateway/gemini/x";\nvoid x;`, undefined],
  // anywhere
  [
    "packages/gateway/src/c1.ts",
    `import { two } from "./c2.ts";\nexport const one = (): number => two();`,
    "import(no-cycle)",
  ],
  [
    "packages/gateway/src/c2.ts",
    `import { one } from "./c1.ts";\nexport const two = (): number => one();`,
    "import(no-cycle)",
  ],
  ["packages/gateway/src/c3.ts", `export * from "./ok1.ts";`, "walls(no-reexport)"],
  ["packages/gateway/src/c4.ts", `export { x } from "./ok1.ts";`, "walls(no-reexport)"],
  ["packages/gateway/src/c5.ts", `console.log("x");`, "eslint(no-console)"],
  ["packages/gateway/src/c6.ts", `export default 5;`, "import(no-default-export)"],
  ["packages/gateway/src/c7.ts", `const f = async () => 5;\nf();`, "typescript(no-floating-promises)"],
  [
    "packages/gateway/src/c8.ts",
    `export function f(x: "a" | "b"): void {\n  switch (x) {\n    case "a":\n  }\n}`,
    "typescript(switch-exhaustiveness-check)",
  ],
  ["packages/gateway/src/c9.ts", `${"\n".repeat(351)}export const x = 5;`, "eslint(max-lines)"],
];

const ROOT = new URL("../..", import.meta.url).pathname;
let folder: string;
let rulesByFile: ReadonlyMap<string, readonly string[]>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "layer-walls-"));
  for (const part of [".oxlintrc.json", "tsconfig.base.json", "scripts/lint"]) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  writeFileSync(
    join(folder, "tsconfig.json"),
    `{"extends": "./tsconfig.base.json", "include": ["packages"]}`,
  );
  for (const [path, source] of PLANTS) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${source}\n`);
  }
  rulesByFile = lint(folder);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a planted file", () => {
  test.for(PLANTS.filter(([, , rule]) => rule !== undefined))(
    "%s (%j) is refused by %s",
    ([path, , rule]) => {
      expect(rulesByFile.get(path)).toContain(rule);
    },
  );

  test.for(PLANTS.filter(([, , rule]) => rule === undefined))("%s (%j) passes", ([path]) => {
    expect(rulesByFile.get(path) ?? []).toEqual([]);
  });
});

/** Runs oxlint over `packages` in `cwd`; the rules that spoke, by file. */
function lint(cwd: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { code, filename } of diagnosticsOf(cwd)) {
    found.set(filename, [...(found.get(filename) ?? []), code]);
  }
  return found;
}

function diagnosticsOf(cwd: string): readonly { readonly code: string; readonly filename: string }[] {
  const oxlint = join(ROOT, "node_modules/oxlint/bin/oxlint");
  try {
    const output = execFileSync(process.execPath, [oxlint, "--format", "json", "packages"], {
      cwd,
      encoding: "utf8",
    });
    return JSON.parse(output).diagnostics;
  } catch (error) {
    // Findings make oxlint exit 1 with its report on standard output; anything else has no such report to parse.
    return JSON.parse((error as { stdout: string }).stdout).diagnostics;
  }
}
