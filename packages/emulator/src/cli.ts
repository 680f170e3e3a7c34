/**
 * `gemini-emulator`: the emulator as a program of its own. Exit code 2 and one sentence for a wrong option or script.
 * Needs no dependency: five options are within the runtime's own reach.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { startEmulator } from "./emulator.ts";
import { DEFAULT_PROJECTS } from "./project-spec.ts";
import type { EmulatorOptions } from "./emulator.ts";
import { parseScript } from "./script.ts";

const HELP = `gemini-emulator: a faithful Gemini API on a local port (127.0.0.1 only)

  --port <number>   port to listen on; 0 picks a free one (default 9000)
  --script <file>   JSON file with projects, models, faults, hosts (see the package's README)
  --minimal         pre-built answers at next to no cost, for load tests
  --json            print one JSON line instead of a sentence when listening
  --help            this text

Without a script it serves the keys ${DEFAULT_PROJECTS.flatMap((project) => project.keys).join(", ")}.
`;

const OPTIONS = {
  port: { type: "string", default: "9000" },
  script: { type: "string" },
  minimal: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

const USAGE_EXIT_CODE = 2;

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const options: EmulatorOptions = {
    ...(values.script !== undefined && parseScript(await readFile(values.script, "utf8"))),
    port: portOf(values.port),
    minimal: values.minimal,
  };
  const emulator = await startEmulator(options);
  const { url, port } = emulator;
  process.stdout.write(
    values.json ? `${JSON.stringify({ url, port })}\n` : `Gemini emulator listening at ${url}\n`,
  );
  // A second signal finds no handler left and ends the process at once.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void emulator.close());
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new RangeError(`--port must be a number from 0 to 65535, not "${text}"`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`gemini-emulator: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = USAGE_EXIT_CODE;
}
