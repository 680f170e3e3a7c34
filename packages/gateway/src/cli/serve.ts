/** `gemini-gateway serve`: runs the gateway until it is told to stop. Primary thread. */
import { ENTRIES } from "../config/entries.ts";
import { declareFlags } from "../config/flags.ts";
import type { GatewayConfig } from "../config.ts";
import { type Command, configOf } from "./command.ts";

export const serveCommand: Command = {
  name: "serve",
  summary: "Run the gateway",
  flags: declareFlags(ENTRIES),
  run: async (argv, _words, context) => {
    const readConfig = (): GatewayConfig => configOf(argv, context).config;
    const config = readConfig();
    // Loaded only now: `--help` and a refused option must not wait for SQLite and the HTTP client.
    const { serve } = await import("../primary/serve.ts");
    return serve(config, readConfig, { worker: context.workerEntry, prober: context.proberEntry });
  },
};
