/**
 * `gemini-gateway logs`: the requests that went through, from the database file, whether a gateway runs or not.
 * Primary thread.
 */
import { ENTRIES } from "../config/entries.ts";
import { declareFlags } from "../config/flags.ts";
import { OperatorError } from "../control/operator-error.ts";
import { type Command, configOf, EXIT_OK, JSON_FLAG } from "./command.ts";
import { followLog } from "./follow-log.ts";
import { LOG_FILTER_FLAGS, type LogQuestion, readLogQuestion } from "./log-filter.ts";
import { requestHead, requestJson, requestLine } from "./print-requests.ts";
import { untilInterrupted } from "./until-interrupted.ts";

const PATHS: ReadonlySet<string> = new Set(["database", "config"]);

export const logsCommand: Command = {
  name: "logs",
  summary: "Print the requests that went through, the newest last",
  flags: {
    ...declareFlags(ENTRIES.filter(({ path }) => PATHS.has(path))),
    ...LOG_FILTER_FLAGS,
    follow: { type: "boolean", describe: "Go on with the requests to come, until Ctrl-C" },
    json: { ...JSON_FLAG, describe: "Print a line of JSON for each request" },
  },
  run: async (argv, _words, context) => {
    const { database } = configOf(argv, context).config;
    const question = readLogQuestion(argv, context.nowMs());
    const { openStoreReader } = await import("../primary/store/store.ts");
    using store = openStoreReader(database);
    if (store === undefined) throw nothingThere(database);
    const log = store.requests;
    requireKnownKey(question, (fingerprint) => log.hasKey(fingerprint));
    const isJson = argv["json"] === true;
    const afterId = log.newestId();
    const rows = log.latest(question.filter, question.limit);
    if (!isJson) context.print(requestHead());
    const show = (row: (typeof rows)[number]): void =>
      context.print(isJson ? requestJson(row) : requestLine(row));
    for (const row of rows) show(row);
    if (argv["follow"] === true) {
      const from = { afterId: Math.max(afterId, rows.at(-1)?.id ?? 0), filter: question.filter };
      await untilInterrupted((signal) => followLog({ log, ...from, show, signal }));
    }
    return EXIT_OK;
  },
};

function requireKnownKey({ filter }: LogQuestion, hasKey: (fingerprint: string) => boolean): void {
  const { fingerprint } = filter;
  if (fingerprint === undefined || hasKey(fingerprint)) return;
  throw new OperatorError(
    "bad-request",
    `The database has no key ${fingerprint}: \`keys list\` shows those it has.`,
  );
}

function nothingThere(database: string): OperatorError {
  return new OperatorError("database-missing", `There is no database at ${database}: check --database.`);
}
