/** `gemini-gateway keys explain`: why a key is in or out, for each model, in plain words. Primary thread. */
import { ConfigError } from "../config/config-error.ts";
import { type Command, EXIT_OK, JSON_FLAG, printJson } from "./command.ts";
import { fingerprintsOf } from "./fingerprints.ts";
import { KEY_FILE_FLAGS, keyFilesOf } from "./key-files.ts";
import { explanationText } from "./print-key-desk.ts";

export const keysExplainCommand: Command = {
  name: "keys explain",
  summary:
    "Say why a key is in or out for each model, since when, on whose evidence, and when it is tried again",
  flags: { ...KEY_FILE_FLAGS, json: JSON_FLAG },
  words: "fingerprint",
  run: async (argv, words, context) => {
    const [fingerprint, ...more] = fingerprintsOf("keys explain", words);
    if (fingerprint === undefined || more.length > 0)
      throw new ConfigError("keys explain takes one fingerprint");
    const { database } = await keyFilesOf(argv, context);
    const { explainKeyOf } = await import("../control/key-desk-commands.ts");
    const explanation = await explainKeyOf(database, fingerprint);
    if (argv["json"] === true) printJson(context, explanation);
    else context.print(explanationText(explanation, context.nowMs()));
    return EXIT_OK;
  },
};
