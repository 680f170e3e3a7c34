/**
 * What a command of the command line is, and what it gets from the process around it. Types, and the reading of the
 * configuration that all commands share. Primary thread.
 */
import type { Environment } from "../config/environment.ts";
import type { Arguments, FlagDeclaration } from "../config/flags.ts";
import { type ResolvedConfig, resolveConfig } from "../config/resolve.ts";

/** The process as commands see it: they touch nothing else of it. */
export interface CommandContext {
  readonly env: Environment;
  readonly readFile: (path: string) => string;
  /** CPU cores this process may use. */
  readonly cores: number;
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean;
  /** Writes one text and a line end to standard output. */
  readonly print: (text: string) => void;
  /** Writes one text and a line end to standard error: what is said beside the result. */
  readonly remark: (text: string) => void;
  /** Writes a text over the last one it wrote, without a line end; only where standard output is a terminal. */
  readonly redraw?: (text: string) => void;
  readonly nowMs: () => number;
  readonly version: string;
  /** The program of a worker thread. */
  readonly workerEntry: URL;
  /** The program of a thread that tests keys. */
  readonly proberEntry: URL;
}

/** One command. */
export interface Command {
  /** The words that call it: `keys list`. */
  readonly name: string;
  /** One line for the help. */
  readonly summary: string;
  readonly flags: Readonly<Record<string, FlagDeclaration>>;
  /** Name of the words that may follow, for the help; without it none may. */
  readonly words?: string;
  /** Why words are refused, where the plain sentence would not help. */
  readonly wordsRefused?: string;
  /** Runs it and gives the exit code. Throws ConfigError or OperatorError with a sentence to print. */
  readonly run: (argv: Arguments, words: readonly string[], context: CommandContext) => Promise<number>;
}

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;

/** The flag with which a command prints JSON for programs instead of a table for people. */
export const JSON_FLAG: FlagDeclaration = { type: "boolean", describe: "Print JSON" };

/** The configuration in effect for a command. Throws ConfigError. */
export function configOf(argv: Arguments, context: CommandContext): ResolvedConfig {
  return resolveConfig({ argv, env: context.env, readFile: context.readFile, cores: context.cores });
}

/** Prints a value as JSON, for programs. */
export function printJson(context: CommandContext, value: unknown): void {
  context.print(JSON.stringify(value, undefined, 2));
}
