/**
 * The gateway, as its operators run it: the real program with everything on, a log in a file, a database on disk. Runs
 * in the bench's main process.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { poll } from "../processes/poll.ts";
import { plainTarget, START_MS, type Contender, type Surroundings } from "./contender.ts";
import { LogFile } from "./log-file.ts";

/** The program of this working tree. */
export const GATEWAY_PROGRAM = fileURLToPath(
  new URL("../../../packages/gateway/bin/gemini-gateway.js", import.meta.url),
);
/** Its clients are authenticated: the limits per address are for others. */
const CLIENT_SECRET = "bench-client-secret";
const KEY_FILE = "bench.txt";

export interface GatewayOptions {
  readonly name: string;
  readonly program: string;
  readonly workers: number;
  readonly keys: readonly string[];
  /** Further flags of `serve`, with the reason at the place that gives them. */
  readonly flags?: readonly string[];
  /** Flags of node, for measurements from inside. */
  readonly nodeFlags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningGateway extends Contender {
  readonly pid: number;
  /** From the start of the process until it could serve, milliseconds. */
  readonly readyMs: number;
  /** Resolves with the first log entry of this message, past ones included. */
  logged(message: string, matches?: (entry: Readonly<Record<string, unknown>>) => boolean): Promise<object>;
}

/**
 * Starts it and waits until it says that it is ready. A folder used before brings its warm database and the compiled
 * code of then; in a new one all is compiled anew.
 */
export async function startGateway(around: Surroundings, options: GatewayOptions): Promise<RunningGateway> {
  writeKeys(around.folder, options.keys);
  const log = new LogFile(around.folder);
  const startMs = performance.now();
  const child = await around.children.start({
    name: options.name,
    command: [
      process.execPath,
      ...(options.nodeFlags ?? []),
      options.program,
      "serve",
      ...flagsOf(around, options),
    ],
    cwd: around.folder,
    env: { AUTH_KEY: `bench=${CLIENT_SECRET}`, XDG_CACHE_HOME: join(around.folder, "cache"), ...options.env },
    cores: around.cores,
    output: log.descriptor,
  });
  const failed = child.failed;
  const entriesBefore = log.entries().filter(({ pid }) => pid !== child.pid).length;
  const logged: RunningGateway["logged"] = (message, matches = () => true) =>
    poll(
      `${options.name} saying "${message}"`,
      () =>
        log
          .entries()
          .slice(entriesBefore)
          .find((entry) => entry["msg"] === message && matches(entry)),
      { timeoutMs: START_MS, failed },
    );
  const { url } = (await logged("listening")) as { url: string };
  if (options.keys.length > 0)
    await poll(`${options.name} being ready`, () => isReady(url), { timeoutMs: START_MS, failed });
  return {
    name: options.name,
    pid: child.pid,
    readyMs: performance.now() - startMs,
    logged,
    target: (path, body) => plainTarget(url, CLIENT_SECRET, path, body),
    [Symbol.asyncDispose]: async () => {
      await child.end();
      log[Symbol.dispose]();
    },
  };
}

/** Puts the keys into the folder of a gateway, one file for all. */
export function writeKeys(folder: string, keys: readonly string[]): void {
  mkdirSync(join(folder, "keys"), { recursive: true });
  writeFileSync(join(folder, "keys", KEY_FILE), `${keys.join("\n")}\n`);
}

function flagsOf({ upstream }: Surroundings, { workers, flags = [] }: GatewayOptions): string[] {
  return [
    "--port",
    "0",
    "--workers",
    String(workers),
    "--upstream",
    upstream,
    "--log-format",
    "json",
    ...flags,
  ];
}

async function isReady(url: string): Promise<true | undefined> {
  const response = await fetch(`${url}/readyz`, { headers: { connection: "close" } });
  await response.arrayBuffer();
  return response.ok ? true : undefined;
}
