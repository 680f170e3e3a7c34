/** `gemini-gateway config show`: what is in effect, and where each value came from. Primary thread. */
import { ENTRIES } from "../config/entries.ts";
import { declareFlags } from "../config/flags.ts";
import { showConfig } from "../config/show.ts";
import { type Command, configOf, EXIT_OK, JSON_FLAG, printJson } from "./command.ts";
import { formatTable } from "./table.ts";

export const configShowCommand: Command = {
  name: "config show",
  summary: "Print the options in effect and where each came from; secrets are masked",
  flags: { ...declareFlags(ENTRIES), json: JSON_FLAG },
  run: async (argv, _words, context) => {
    const options = showConfig(configOf(argv, context));
    if (argv["json"] === true) {
      const byPath = Object.fromEntries(options.map(({ path, value, origin }) => [path, { value, origin }]));
      printJson(context, byPath);
    } else {
      const rows = options.map(({ path, value, origin }) => [path, value === "" ? "-" : value, origin]);
      context.print(formatTable(["OPTION", "VALUE", "FROM"], rows));
    }
    return EXIT_OK;
  },
};
