/**
 * `gemini-gateway keys enable|disable|reset`: what the operator wants of keys; a running gateway does it at once.
 * Primary thread.
 */
import { ConfigError } from "../config/config-error.ts";
import type { FlagDeclaration } from "../config/flags.ts";
import { KEY_NOTE_LENGTH_MAX } from "../control/key-desk-requests.ts";
import type { KeyWish } from "../control/key-desk-types.ts";
import { type Command, EXIT_FAILED, EXIT_OK, JSON_FLAG, printJson } from "./command.ts";
import { fingerprintsOf } from "./fingerprints.ts";
import { textFlag } from "./guard-flags.ts";
import { KEY_FILE_FLAGS, keyFilesOf } from "./key-files.ts";
import { wishReportText } from "./print-key-desk.ts";

const FLAGS: Readonly<Record<string, FlagDeclaration>> = {
  ...KEY_FILE_FLAGS,
  all: { type: "boolean", describe: "Every key" },
  note: { type: "string", describe: "Why, for `keys explain`" },
  json: JSON_FLAG,
};

export const keysEnableCommand = wishCommand("enable", "Put keys back into use that were disabled");
export const keysDisableCommand = wishCommand(
  "disable",
  "Take keys out of use until they are enabled; no test undoes it",
);
export const keysResetCommand = wishCommand(
  "reset",
  "Forget what was observed of keys and their projects, so that they are tried anew",
);

function wishCommand(wish: KeyWish, summary: string): Command {
  const name = `keys ${wish}`;
  return {
    name,
    summary,
    flags: FLAGS,
    words: "fingerprint",
    run: async (argv, words, context) => {
      const fingerprints = fingerprintsOf(name, words);
      const all = argv["all"] === true;
      if (all === fingerprints.length > 0) throw new ConfigError(`${name} takes fingerprints, or --all`);
      const note = textFlag(argv, "note") ?? null;
      if (note !== null && note.length > KEY_NOTE_LENGTH_MAX) {
        throw new ConfigError(`--note must have at most ${KEY_NOTE_LENGTH_MAX} characters`);
      }
      const { database } = await keyFilesOf(argv, context);
      const { wishKeys } = await import("../control/key-desk-commands.ts");
      const report = await wishKeys(database, { wish, fingerprints, all, note });
      if (argv["json"] === true) printJson(context, report);
      else context.print(wishReportText(report));
      return report.unknown.length === 0 ? EXIT_OK : EXIT_FAILED;
    },
  };
}
