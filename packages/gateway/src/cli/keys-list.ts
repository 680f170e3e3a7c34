/** `gemini-gateway keys list`: every key by its fingerprint, with its state. Primary thread. */
import { type Command, EXIT_OK, JSON_FLAG, printJson } from "./command.ts";
import { KEY_FILE_FLAGS, keyFilesOf } from "./key-files.ts";
import { keyTable } from "./print-keys.ts";

export const keysListCommand: Command = {
  name: "keys list",
  summary: "List the keys by fingerprint, with their states",
  flags: { ...KEY_FILE_FLAGS, json: JSON_FLAG },
  run: async (argv, _words, context) => {
    const files = await keyFilesOf(argv, context);
    const { listKeys } = await import("../control/commands.ts");
    const rows = await listKeys(files);
    if (argv["json"] === true) printJson(context, rows);
    else context.print(keyTable(rows, context.nowMs()));
    return EXIT_OK;
  },
};
