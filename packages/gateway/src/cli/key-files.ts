/** What the commands on keys share: the options that say where keys are. Primary thread. */
import { ENTRIES } from "../config/entries.ts";
import { type Arguments, declareFlags } from "../config/flags.ts";
import type { OfflineFiles } from "../control/offline.ts";
import { type CommandContext, configOf } from "./command.ts";

const PATHS: ReadonlySet<string> = new Set(["keysDir", "database", "config"]);

/** Flags of every command that works on the keys or the database. */
export const KEY_FILE_FLAGS = declareFlags(ENTRIES.filter(({ path }) => PATHS.has(path)));

/** Where the keys are. Throws ConfigError. */
export function keyFilesOf(argv: Arguments, context: CommandContext): OfflineFiles {
  const { config } = configOf(argv, context);
  return { keysDir: config.keysDir, database: config.database, nowMs: context.nowMs };
}
