/** `gemini-gateway bans list|add|remove`: addresses and networks that are not let in. Primary thread. */
import { parseNetwork } from "@gemini-gateway/core/network/network";
import { ConfigError } from "../config/config-error.ts";
import type { Arguments, FlagDeclaration } from "../config/flags.ts";
import { GUARD_ITEMS_MAX, NOTE_LENGTH_MAX } from "../control/guard-requests.ts";
import { type Command, EXIT_FAILED, EXIT_OK, JSON_FLAG, printJson } from "./command.ts";
import { durationFlag, guardOf, textFlag } from "./guard-flags.ts";
import { KEY_FILE_FLAGS } from "./key-files.ts";
import { banReportText, banTable, removeBansText } from "./print-guard.ts";

const FLAGS: Readonly<Record<string, FlagDeclaration>> = { ...KEY_FILE_FLAGS, json: JSON_FLAG };
const PERMANENT = "permanent";

export const bansListCommand: Command = {
  name: "bans list",
  summary: "List the banned addresses and networks",
  flags: FLAGS,
  run: async (argv, _words, context) => {
    const guard = await guardOf(argv, context);
    const rows = await guard.listBans();
    if (argv["json"] === true) printJson(context, rows);
    else context.print(banTable(rows, context.nowMs()));
    return EXIT_OK;
  },
};

export const bansAddCommand: Command = {
  name: "bans add",
  summary: "Ban addresses and networks; a running gateway refuses them at once",
  flags: {
    ...FLAGS,
    duration: {
      type: "string",
      describe: "How long, such as 12h or 30d, or permanent",
      defaultDescription: PERMANENT,
    },
    note: { type: "string", describe: "Why, for the list" },
  },
  words: "network",
  run: async (argv, words, context) => {
    const networks = networksOf("bans add", words);
    const durationMs = durationOf(argv);
    const note = textFlag(argv, "note") ?? null;
    if (note !== null && note.length > NOTE_LENGTH_MAX) {
      throw new ConfigError(`--note must have at most ${NOTE_LENGTH_MAX} characters`);
    }
    const guard = await guardOf(argv, context);
    const rows = await guard.addBans({ networks, durationMs, note });
    if (argv["json"] === true) printJson(context, rows);
    else context.print(banReportText(rows, context.nowMs()));
    return EXIT_OK;
  },
};

export const bansRemoveCommand: Command = {
  name: "bans remove",
  summary: "End the bans of addresses and networks, written as `bans list` shows them",
  flags: FLAGS,
  words: "network",
  run: async (argv, words, context) => {
    const networks = networksOf("bans remove", words);
    const guard = await guardOf(argv, context);
    const report = await guard.removeBans({ networks });
    if (argv["json"] === true) printJson(context, report);
    else context.print(removeBansText(report));
    return report.unknown.length === 0 ? EXIT_OK : EXIT_FAILED;
  },
};

function durationOf(argv: Arguments): number | null {
  return argv["duration"] === PERMANENT ? null : (durationFlag(argv, "duration") ?? null);
}

function networksOf(command: string, words: readonly string[]): readonly string[] {
  const bad = words.find((word) => parseNetwork(word) === undefined);
  if (bad !== undefined) {
    throw new ConfigError(`${command}: ${JSON.stringify(bad.slice(0, 64))} is no address and no network`);
  }
  if (words.length > 0 && words.length <= GUARD_ITEMS_MAX) return words;
  throw new ConfigError(
    `${command} takes addresses such as 203.0.113.7 and networks such as 10.0.0.0/8, at most ${GUARD_ITEMS_MAX}`,
  );
}
