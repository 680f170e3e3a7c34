/** `gemini-gateway keys remove`: takes keys out of the key files by their fingerprints. Primary thread. */
import { type Command, EXIT_FAILED, EXIT_OK, JSON_FLAG, printJson } from "./command.ts";
import { fingerprintsOf } from "./fingerprints.ts";
import { KEY_FILE_FLAGS, keyFilesOf } from "./key-files.ts";
import { removeReportText } from "./print-keys.ts";

export const keysRemoveCommand: Command = {
  name: "keys remove",
  summary: "Remove keys, named by the fingerprints that `keys list` shows",
  flags: { ...KEY_FILE_FLAGS, json: JSON_FLAG },
  words: "fingerprint",
  run: async (argv, words, context) => {
    const files = await keyFilesOf(argv, context);
    fingerprintsOf("keys remove", words, 1);
    const { removeKeys } = await import("../control/commands.ts");
    const report = await removeKeys(files, words);
    if (argv["json"] === true) printJson(context, report);
    else context.print(removeReportText(report));
    return report.unknown.length + report.failed.length === 0 ? EXIT_OK : EXIT_FAILED;
  },
};
