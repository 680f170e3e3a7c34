/** What the commands on keys share: the options that say where keys are. Primary thread. */
import { ENTRIES } from "../config/entries.ts";
import { type Arguments, declareFlags } from "../config/flags.ts";
import type { OfflineFiles } from "../control/offline.ts";
import { type CommandContext, configOf } from "./command.ts";

const PATHS: ReadonlySet<string> = new Set(["keysDir", "database", "config"]);

/** Flags of every command that works on the keys or the database. */
export const KEY_FILE_FLAGS = declareFlags(ENTRIES.filter(({ path }) => PATHS.has(path)));

/** Where the keys are, and how to tell what the last run stored about them. Throws ConfigError. */
export async function keyFilesOf(argv: Arguments, context: CommandContext): Promise<OfflineFiles> {
  const { config } = configOf(argv, context);
  // Loaded only now, for the same reason as the commands themselves: help and refusals must not wait.
  const { storedKeyStateText } = await import("../primary/key-state-text.ts");
  return {
    keysDir: config.keysDir,
    database: config.database,
    describe: storedKeyStateText,
    nowMs: context.nowMs,
  };
}
