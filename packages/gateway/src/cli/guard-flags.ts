/** What the commands on bans and clients share: where they go, and how their own flags are read. Primary thread. */
import { ConfigError } from "../config/config-error.ts";
import { parseDuration } from "../config/duration.ts";
import type { Arguments } from "../config/flags.ts";
import type { GuardCommands } from "../control/guard-commands.ts";
import { type CommandContext, configOf } from "./command.ts";
import { KEY_FILE_FLAGS } from "./key-files.ts";

/** Longest time that can be given: beyond it "permanent" is meant. */
const DURATION_MAX_MS = 3_650 * 86_400_000;

/** The commands, on the running gateway or on the database. Throws ConfigError. */
export async function guardOf(argv: Arguments, context: CommandContext): Promise<GuardCommands> {
  // Only where the files are: flags of these commands may have the names of options that mean something else.
  const paths = Object.entries(argv).filter(([flag]) => Object.hasOwn(KEY_FILE_FLAGS, flag));
  const { config } = configOf(Object.fromEntries(paths), context);
  // Loaded only now: help and refusals must not wait for SQLite.
  const { guardCommands } = await import("../control/guard-commands.ts");
  const isTaken = (name: string): boolean => config.authKey.some((key) => key.name === name);
  return guardCommands({ database: config.database, isTaken, nowMs: context.nowMs });
}

/** The text of a flag; undefined when it is not given. */
export function textFlag(argv: Arguments, flag: string): string | undefined {
  const raw = argv[flag];
  if (raw === undefined) return undefined;
  if (typeof raw === "string" && raw.trim() !== "") return raw.trim();
  throw new ConfigError(`--${flag} must be given once, with a text`);
}

/** Milliseconds of a flag such as `30d`; undefined when it is not given. */
export function durationFlag(argv: Arguments, flag: string): number | undefined {
  const text = textFlag(argv, flag);
  if (text === undefined) return undefined;
  const durationMs = parseDuration(text);
  if (durationMs !== undefined && durationMs >= 1_000 && durationMs <= DURATION_MAX_MS) return durationMs;
  throw new ConfigError(`--${flag} must be a time from 1s to 3650d, written as 30s, 5m, 12h or 7d`);
}

/** The whole number of a flag, 0 when it is not given. */
export function countFlag(argv: Arguments, flag: string, max: number): number {
  const text = textFlag(argv, flag) ?? "0";
  if (/^\d{1,12}$/.test(text) && Number(text) <= max) return Number(text);
  throw new ConfigError(`--${flag} must be a whole number from 0 (no limit) to ${max}`);
}
