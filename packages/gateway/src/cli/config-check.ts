/** `gemini-gateway config check`: says whether a gateway would start with these options. Primary thread. */
import { ENTRIES } from "../config/entries.ts";
import { declareFlags } from "../config/flags.ts";
import { type Command, configOf, EXIT_OK } from "./command.ts";

export const configCheckCommand: Command = {
  name: "config check",
  summary: "Check the options of flags, environment and file; exit code 2 and the reason when one is wrong",
  flags: declareFlags(ENTRIES),
  run: (argv, _words, context) => {
    const { config, origins } = configOf(argv, context);
    const given = Object.values(origins).filter((origin) => origin !== "default" && origin !== "derived");
    const where = config.config === "" ? "no configuration file" : config.config;
    context.print(`The configuration is good (${where}; options given: ${given.length}).`);
    return Promise.resolve(EXIT_OK);
  },
};
