/**
 * The command line `gemini-gateway`: builds what the commands need from the process, runs the one named, and turns
 * errors into one sentence and an exit code. Primary thread. It must load nothing heavy: each command does that itself.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { bansAddCommand, bansListCommand, bansRemoveCommand } from "./cli/bans.ts";
import { clientsAddCommand, clientsListCommand, clientsRevokeCommand } from "./cli/clients.ts";
import { benchCommand } from "./cli/bench.ts";
import { type CommandContext, EXIT_FAILED, EXIT_OK } from "./cli/command.ts";
import { configCheckCommand } from "./cli/config-check.ts";
import { configShowCommand } from "./cli/config-show.ts";
import { dispatch } from "./cli/dispatch.ts";
import { importCommand } from "./cli/import.ts";
import { keysAddCommand } from "./cli/keys-add.ts";
import { keysExplainCommand } from "./cli/keys-explain.ts";
import { keysListCommand } from "./cli/keys-list.ts";
import { keysRemoveCommand } from "./cli/keys-remove.ts";
import { keysTestCommand } from "./cli/keys-test.ts";
import { keysDisableCommand, keysEnableCommand, keysResetCommand } from "./cli/keys-wish.ts";
import { logsCommand } from "./cli/logs.ts";
import { serveCommand } from "./cli/serve.ts";
import { statusCommand } from "./cli/status.ts";
import { ConfigError } from "./config/config-error.ts";
import { OperatorError, systemCodeOf } from "./control/operator-error.ts";
import { ownVersion } from "./version.ts";

const COMMANDS = [
  serveCommand,
  statusCommand,
  logsCommand,
  keysListCommand,
  keysAddCommand,
  keysRemoveCommand,
  keysTestCommand,
  keysExplainCommand,
  keysEnableCommand,
  keysDisableCommand,
  keysResetCommand,
  bansListCommand,
  bansAddCommand,
  bansRemoveCommand,
  clientsListCommand,
  clientsAddCommand,
  clientsRevokeCommand,
  configShowCommand,
  configCheckCommand,
  importCommand,
  benchCommand,
];

const GROUPS = {
  keys: "Look at and change the keys",
  bans: "Look at and change who is banned",
  clients: "Look at and change who has an auth key with limits",
  config: "Look at and check the configuration",
};

/**
 * Runs one command line (without the program's name) and gives the exit code of the process. Never throws.
 * @public called by bin/gemini-gateway.js, which names this file at run time
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args, COMMANDS, GROUPS, contextOf(process));
  } catch (error) {
    process.stderr.write(`gemini-gateway: ${describe(error)}\n`);
    return error instanceof ConfigError ? error.exitCode : EXIT_FAILED;
  }
}

function contextOf({ env, stdin, stdout, stderr }: NodeJS.Process): CommandContext {
  stdout.on("error", leaveOnBrokenPipe);
  return {
    env,
    readFile: (path) => readFileSync(path, "utf8"),
    cores: availableParallelism(),
    input: stdin,
    isTerminal: stdout.isTTY,
    print: (text) => void stdout.write(`${text}\n`),
    remark: (text) => void stderr.write(`${text}\n`),
    ...(stdout.isTTY && { redraw: (text: string) => void stdout.write(`\r\u001B[2K${text}`) }),
    nowMs: Date.now,
    version: ownVersion(),
    // Written out whole, so that the build finds the file and points the name at its JavaScript.
    workerEntry: new URL("./worker/main.ts", import.meta.url),
    proberEntry: new URL("./prober/main.ts", import.meta.url),
  };
}

/** Readers such as `head` close the pipe when they have enough: no failure of ours. A full disk is one. */
function leaveOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(EXIT_OK);
  process.stderr.write(`gemini-gateway: The output cannot be written (${error.code ?? error.message}).\n`);
  process.exit(EXIT_FAILED);
}

/** An error that was foreseen is one sentence; any other is a defect, for which the place helps. */
function describe(error: unknown): string {
  if (error instanceof ConfigError || error instanceof OperatorError) return error.message;
  // What the system refused, such as a write to a full disk, is foreseen wherever it happens.
  if (error instanceof Error && systemCodeOf(error) !== "")
    return `${error.message} (${systemCodeOf(error)}).`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
