/**
 * `pnpm check`: everything that can be said of the code without running it. Every step runs, also after a failure, so
 * that one run shows all there is to mend. Exit code 1 if any step failed.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

interface Step {
  readonly name: string;
  /** Program and arguments, run from the root of the repository. */
  readonly command: readonly [string, ...string[]];
  /** What to run to mend it, when a command can. */
  readonly remedy?: string;
}

interface Result {
  readonly step: Step;
  readonly ok: boolean;
  readonly durationMs: number;
  /** Standard output and standard error as they came, at most {@link OUTPUT_BYTES_MAX}. */
  readonly output: string;
}

/** Enough to show thousands of findings; past it a tool has lost its way. */
const OUTPUT_BYTES_MAX = 1_000_000;

const ROOT = join(import.meta.dirname, "..");
/** The tools of this repository first, so that `node scripts/check.ts` works outside pnpm too. */
const PATH = [join(ROOT, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
const DOCS_SCRIPT = "scripts/generate-docs.ts";

const STEPS: readonly Step[] = [
  { name: "types", command: ["tsc", "-p", "tsconfig.json"] },
  { name: "lint", command: ["oxlint"], remedy: "oxlint --fix" },
  { name: "format", command: ["oxfmt", "--check"], remedy: "pnpm format" },
  { name: "dead code", command: ["knip"] },
  ...(existsSync(join(ROOT, DOCS_SCRIPT))
    ? [
        {
          name: "generated docs",
          command: ["node", DOCS_SCRIPT, "--check"],
          remedy: `node ${DOCS_SCRIPT}`,
        } as const,
      ]
    : []),
];

/** Runs one step to its end; a program that cannot be started is a failure like any other. */
function run(step: Step): Promise<Result> {
  const startedAt = performance.now();
  const [program, ...args] = step.command;
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { ...process.env, PATH },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const keep = (chunk: Buffer): void => {
      if (bytes < OUTPUT_BYTES_MAX) chunks.push(chunk);
      bytes += chunk.length;
    };
    const end = (ok: boolean): void => {
      const output = Buffer.concat(chunks).toString("utf8");
      resolve({ step, ok, durationMs: performance.now() - startedAt, output });
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => {
      keep(Buffer.from(error.message));
      end(false);
    });
    child.on("close", (code) => end(code === 0));
  });
}

function lineOf({ step, ok, durationMs }: Result): string {
  return `${ok ? "ok    " : "FAILED"}  ${step.name.padEnd(16)}${(durationMs / 1000).toFixed(1).padStart(6)} s`;
}

function failureOf({ step, output }: Result): string {
  const remedy = step.remedy === undefined ? "" : `\n(${step.remedy} may mend it)`;
  return `${output.trimEnd()}${remedy}\n`;
}

const results: Result[] = [];
for (const step of STEPS) {
  // One after the other: each tool fills the cores by itself.
  const result = await run(step);
  results.push(result);
  console.log(lineOf(result));
  if (!result.ok) console.log(failureOf(result));
}

const failures = results.filter((result) => !result.ok).map((result) => result.step.name);
console.log(failures.length === 0 ? "All checks passed." : `Failed: ${failures.join(", ")}.`);
process.exitCode = failures.length === 0 ? 0 : 1;
