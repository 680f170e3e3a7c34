/**
 * `gemini-gateway keys add`: takes keys from standard input, so that none lands in the history of the shell or in the
 * list of processes. Primary thread. It must never print what it reads.
 */
import { ConfigError } from "../config/config-error.ts";
import type { Arguments } from "../config/flags.ts";
import type { AddKeysRequest } from "../control/types.ts";
import { type Command, type CommandContext, EXIT_FAILED, EXIT_OK, JSON_FLAG, printJson } from "./command.ts";
import { KEY_FILE_FLAGS, keyFilesOf } from "./key-files.ts";
import { addReportText } from "./print-keys.ts";

/** Some 150,000 keys, which still fit into one request to the running gateway. Bytes. */
const INPUT_BYTES_MAX = 6 * 1024 * 1024;

export const keysAddCommand: Command = {
  name: "keys add",
  summary: "Add keys, read from standard input",
  flags: {
    ...KEY_FILE_FLAGS,
    project: { type: "string", describe: "Name of the Google project that the keys belong to" },
    file: { type: "string", describe: "Key file to add them to", defaultDescription: "added.txt" },
    json: JSON_FLAG,
  },
  wordsRefused:
    "keys add reads keys from standard input only, because the shell would keep one given here in its history; " +
    "start it without, then paste the keys and press Ctrl-D, or use `< file`",
  run: async (argv, _words, context) => {
    const files = await keyFilesOf(argv, context);
    const labels = labelsOf(argv);
    if (context.input.isTTY === true) {
      context.remark("Paste the keys, one a line; then press Ctrl-D on an empty line.");
    }
    const text = await readInput(context);
    if (text.trim() === "") throw new ConfigError("Standard input held no key");
    const { addKeys } = await import("../control/commands.ts");
    const report = await addKeys(files, { text, ...labels });
    if (argv["json"] === true) printJson(context, report);
    else context.print(addReportText(report));
    return report.refusedCount === 0 ? EXIT_OK : EXIT_FAILED;
  },
};

function labelsOf(argv: Arguments): Omit<AddKeysRequest, "text"> {
  const [project, file] = [textOf(argv, "project"), textOf(argv, "file")];
  return { ...(project === undefined ? {} : { project }), ...(file === undefined ? {} : { file }) };
}

function textOf(argv: Arguments, flag: string): string | undefined {
  const raw = argv[flag];
  if (raw === undefined) return undefined;
  if (typeof raw === "string" && raw.trim() !== "") return raw.trim();
  throw new ConfigError(`--${flag} must be one name`);
}

async function readInput({ input }: CommandContext): Promise<string> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    byteCount += bytes.length;
    if (byteCount > INPUT_BYTES_MAX) {
      throw new ConfigError(
        `Standard input is longer than ${INPUT_BYTES_MAX} bytes; put a file into the folder of keys`,
      );
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}
