/**
 * `gemini-gateway clients add|list|revoke`: callers with an auth key and limits of their own. Primary thread. The secret
 * is made here, printed once, and only its digest goes further: nobody can show it again.
 */
import { MODEL_PATTERN } from "@gemini-gateway/core/limits/model-patterns";
import { hash, randomBytes } from "node:crypto";
import { ConfigError } from "../config/config-error.ts";
import type { Arguments, FlagDeclaration } from "../config/flags.ts";
import {
  CLIENT_LIMIT_MAX,
  CLIENT_NAME,
  GUARD_ITEMS_MAX,
  MODEL_PATTERNS_MAX,
} from "../control/guard-requests.ts";
import type { AddClientRequest } from "../control/guard-types.ts";
import { type Command, EXIT_FAILED, EXIT_OK, JSON_FLAG, printJson } from "./command.ts";
import { countFlag, durationFlag, guardOf, textFlag } from "./guard-flags.ts";
import { KEY_FILE_FLAGS } from "./key-files.ts";
import { clientTable, revokeReportText } from "./print-guard.ts";

const FLAGS: Readonly<Record<string, FlagDeclaration>> = { ...KEY_FILE_FLAGS, json: JSON_FLAG };

/** Random bytes of a secret; its prefix says to a secret scanner, and to people, what it is. */
const SECRET_BYTES = 32;
const SECRET_PREFIX = "gg_";

export const clientsAddCommand: Command = {
  name: "clients add",
  summary: "Add a client and print its auth key, this once",
  flags: {
    ...FLAGS,
    "requests-per-minute": limit("Most requests in any minute"),
    "requests-per-day": limit("Most requests in any 24 hours"),
    "tokens-per-minute": limit("Most tokens in any minute"),
    "tokens-per-day": limit("Most tokens in any 24 hours"),
    concurrency: limit("Most requests in progress at once"),
    models: { type: "string", describe: "Models it may use, such as a,b*", defaultDescription: "all" },
    expires: {
      type: "string",
      describe: "When it expires, such as 30d from now",
      defaultDescription: "never",
    },
  },
  words: "name",
  run: async (argv, words, context) => {
    const request = requestOf(argv, words);
    const secret = SECRET_PREFIX + randomBytes(SECRET_BYTES).toString("base64url");
    const guard = await guardOf(argv, context);
    const client = await guard.addClient({ ...request, digest: hash("sha256", secret, "hex") });
    if (argv["json"] === true) {
      printJson(context, { ...client, secret });
      return EXIT_OK;
    }
    context.remark(`Client ${client.name} may use this auth key from now on. It is shown only this once:`);
    context.print(secret);
    return EXIT_OK;
  },
};

export const clientsListCommand: Command = {
  name: "clients list",
  summary: "List the clients and their limits",
  flags: FLAGS,
  run: async (argv, _words, context) => {
    const guard = await guardOf(argv, context);
    const rows = await guard.listClients();
    if (argv["json"] === true) printJson(context, rows);
    else context.print(clientTable(rows, context.nowMs()));
    return EXIT_OK;
  },
};

export const clientsRevokeCommand: Command = {
  name: "clients revoke",
  summary: "Revoke the auth keys of clients; a running gateway refuses them at once",
  flags: FLAGS,
  words: "name",
  run: async (argv, words, context) => {
    if (
      words.length === 0 ||
      words.length > GUARD_ITEMS_MAX ||
      !words.every((word) => CLIENT_NAME.test(word))
    ) {
      // What was given may be the secret instead of the name, so it is not repeated.
      throw new ConfigError("clients revoke takes names, as `clients list` shows them, and no auth keys");
    }
    const guard = await guardOf(argv, context);
    const report = await guard.revokeClients({ names: words });
    if (argv["json"] === true) printJson(context, report);
    else context.print(revokeReportText(report));
    return report.unknown.length === 0 ? EXIT_OK : EXIT_FAILED;
  },
};

function requestOf(argv: Arguments, words: readonly string[]): Omit<AddClientRequest, "digest"> {
  const [name, ...more] = words;
  if (name === undefined || more.length > 0 || !CLIENT_NAME.test(name)) {
    throw new ConfigError(
      "clients add takes one name, which begins with a letter and has at most 64 letters, digits, dots, - and _",
    );
  }
  const count = (flag: string): number => countFlag(argv, flag, CLIENT_LIMIT_MAX);
  return {
    name,
    limits: {
      requestsPerMinute: count("requests-per-minute"),
      requestsPerDay: count("requests-per-day"),
      tokensPerMinute: count("tokens-per-minute"),
      tokensPerDay: count("tokens-per-day"),
      concurrency: count("concurrency"),
    },
    models: modelsOf(argv),
    expiresInMs: durationFlag(argv, "expires") ?? null,
  };
}

function modelsOf(argv: Arguments): readonly string[] {
  const models = (textFlag(argv, "models") ?? "")
    .split(",")
    .map((model) => model.trim())
    .filter((model) => model !== "");
  if (models.length <= MODEL_PATTERNS_MAX && models.every((model) => MODEL_PATTERN.test(model)))
    return models;
  throw new ConfigError(
    `--models must be at most ${MODEL_PATTERNS_MAX} names, in which * stands for anything`,
  );
}

function limit(describe: string): FlagDeclaration {
  return { type: "string", describe, defaultDescription: "0, no limit" };
}
