/** `gemini-gateway status`: how the running gateway fares, or what its files tell when none runs. Primary thread. */
import { setTimeout as pause } from "node:timers/promises";
import type { OfflineFiles } from "../control/offline.ts";
import type { StatusReport } from "../control/types.ts";
import { type Command, type CommandContext, EXIT_OK, JSON_FLAG, printJson } from "./command.ts";
import { KEY_FILE_FLAGS, keyFilesOf } from "./key-files.ts";
import { statusText } from "./print-status.ts";
import { untilInterrupted } from "./until-interrupted.ts";

/** Time between two looks. */
const WATCH_MS = 2_000;
/** Cursor to the top left; clears what was there. */
const CLEAR_SCREEN = "\u001B[H\u001B[2J\u001B[3J";

type Ask = (files: OfflineFiles) => Promise<StatusReport>;

export const statusCommand: Command = {
  name: "status",
  summary: "Print how the gateway fares: its workers, keys, requests and models",
  flags: {
    ...KEY_FILE_FLAGS,
    watch: { type: "boolean", describe: "Print it anew every 2 s, until Ctrl-C" },
    json: JSON_FLAG,
  },
  run: async (argv, _words, context) => {
    const files = await keyFilesOf(argv, context);
    const { status } = await import("../control/commands.ts");
    const isJson = argv["json"] === true;
    if (argv["watch"] === true) await watch(status, files, isJson, context);
    else if (isJson) printJson(context, await status(files));
    else context.print(statusText(await status(files), context.nowMs()));
    return EXIT_OK;
  },
};

/** JSON is a line each time; text takes the place of the text before, where there is a screen. */
async function watch(ask: Ask, files: OfflineFiles, isJson: boolean, context: CommandContext): Promise<void> {
  const clear = context.isTerminal ? CLEAR_SCREEN : "";
  await untilInterrupted(async (signal) => {
    while (!signal.aborted) {
      const report = await ask(files);
      context.print(isJson ? JSON.stringify(report) : clear + statusText(report, context.nowMs()));
      await pause(WATCH_MS, undefined, { signal }).catch(() => undefined);
    }
  });
}
