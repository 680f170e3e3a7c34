/** `gemini-gateway import PATH`: takes over an installation of the Python original. Primary thread. */
import { ConfigError } from "../config/config-error.ts";
import { type Command, configOf, EXIT_FAILED, EXIT_OK, JSON_FLAG, printJson } from "./command.ts";
import { KEY_FILE_FLAGS } from "./key-files.ts";
import { importText } from "./print-import.ts";

const CONFIG_FILE = "gateway.yaml";

export const importCommand: Command = {
  name: "import",
  summary: "Take over keys, key states, bans and settings of an installation of the Python original",
  flags: {
    ...KEY_FILE_FLAGS,
    write: { type: "string", describe: "Configuration file to write", defaultDescription: CONFIG_FILE },
    force: { type: "boolean", describe: "Replace the configuration file when there is one" },
    "dry-run": { type: "boolean", describe: "Say what would be taken over, and write nothing" },
    json: JSON_FLAG,
  },
  words: "path",
  run: async (argv, words, context) => {
    const [path] = words;
    if (path === undefined || words.length > 1) {
      throw new ConfigError("import takes one path: the folder that holds config.py, api_proxy.db and keys");
    }
    const configFile = argv["write"] ?? CONFIG_FILE;
    if (typeof configFile !== "string" || configFile.trim() === "") {
      throw new ConfigError("--write must be given once, with the path of a file");
    }
    const { config } = configOf(argv, context);
    const { takeOver } = await import("../primary/import/take-over.ts");
    const report = await takeOver({
      path,
      keysDir: config.keysDir,
      database: config.database,
      configFile,
      isForced: argv["force"] === true,
      isDryRun: argv["dry-run"] === true,
      nowMs: context.nowMs(),
    });
    if (argv["json"] === true) printJson(context, report);
    else context.print(importText(report));
    return report.unread.length === 0 ? EXIT_OK : EXIT_FAILED;
  },
};
