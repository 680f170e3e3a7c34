/** `gemini-gateway status`: how the running gateway fares, or what its files tell when none runs. Primary thread. */
import { type Command, EXIT_OK, JSON_FLAG, printJson } from "./command.ts";
import { KEY_FILE_FLAGS, keyFilesOf } from "./key-files.ts";
import { statusText } from "./print-status.ts";

export const statusCommand: Command = {
  name: "status",
  summary: "Print whether the gateway runs, its keys, models and requests",
  flags: { ...KEY_FILE_FLAGS, json: JSON_FLAG },
  run: async (argv, _words, context) => {
    const files = await keyFilesOf(argv, context);
    const { status } = await import("../control/commands.ts");
    const report = await status(files);
    if (argv["json"] === true) printJson(context, report);
    else context.print(statusText(report, context.nowMs()));
    return EXIT_OK;
  },
};
