/**
 * The real program as a process of its own, for tests of what only a process has: signals, exit codes, its log as it is
 * written. In a folder of its own, and gone when the test ends.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { INHERITED } from "./environment.ts";

export const PROGRAM = fileURLToPath(new URL("../../bin/gemini-gateway.js", import.meta.url));

export type LogLine = Readonly<Record<string, unknown>>;

export interface ProgramOptions {
  /** Of `serve`, besides `--port 0 --workers 2`. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Texts of files to be there, by path from the folder; by default `keys/a.txt` with one key. */
  readonly files?: Readonly<Record<string, string>>;
  /** Of a program that ran before and still owns it; without, it gets one of its own. */
  readonly folder?: string;
}

export interface Program extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly url: string;
  readonly port: number;
  /** Where it runs: holds `keys/` and the database. */
  readonly folder: string;
  /** Resolves with the first log line, past ones included, that has this message and satisfies the predicate. */
  logged(message: string, predicate?: (line: LogLine) => boolean): Promise<LogLine>;
}

export async function startProgram(upstream: string, options: ProgramOptions = {}): Promise<Program> {
  const { flags = [], env = {}, files = {} } = options;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "gateway-program-")));
  const keys = options.folder === undefined ? { "keys/a.txt": "test-key-1\n" } : {};
  for (const [name, text] of Object.entries({ ...keys, ...files })) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const child = spawn(
    process.execPath,
    [PROGRAM, "serve", "--port", "0", "--workers", "2", "--upstream", upstream, ...flags],
    {
      cwd: folder,
      env: { ...INHERITED, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const logged = listenToLog(child);
  const { url, port } = await logged("listening");
  return {
    process: child,
    url: String(url),
    port: Number(port),
    folder,
    logged,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

function listenToLog(child: ChildProcess): Program["logged"] {
  const lines: LogLine[] = [];
  const waiting = new Set<() => void>();
  if (child.stdout === null) throw new Error("the program's output is not piped");
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(JSON.parse(line) as LogLine);
    for (const look of waiting) look();
  });
  return (message, predicate = () => true) => {
    const { promise, resolve } = Promise.withResolvers<LogLine>();
    const look = (): void => {
      const found = lines.find((line) => line["msg"] === message && predicate(line));
      if (found === undefined) return;
      waiting.delete(look);
      resolve(found);
    };
    waiting.add(look);
    look();
    return promise;
  };
}
