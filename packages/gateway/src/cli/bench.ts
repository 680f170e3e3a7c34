/**
 * `gemini-gateway bench [URL]`: loads a running gateway and says how it fared. The default asks for token counts, which
 * cost no quota of generation; the other questions are real requests on the operator's keys. Primary thread.
 */
import { ConfigError } from "../config/config-error.ts";
import { parseDuration } from "../config/duration.ts";
import { ENTRIES } from "../config/entries.ts";
import { type Arguments, declareFlags, type FlagDeclaration } from "../config/flags.ts";
import type { GatewayConfig } from "../config.ts";
import type { Load, LoadOptions, LoadTally } from "../load-test/load.ts";
import {
  type Command,
  type CommandContext,
  configOf,
  EXIT_FAILED,
  EXIT_OK,
  JSON_FLAG,
  printJson,
} from "./command.ts";
import { textFlag } from "./guard-flags.ts";
import { hasServed, loadJson, loadProgress, loadText } from "./print-load.ts";
import { untilInterrupted } from "./until-interrupted.ts";

/** What says where a gateway of this machine listens, and by which secret and on which model it is asked. */
const OPTIONS: ReadonlySet<string> = new Set(["host", "port", "pathPrefix", "authKey", "models", "config"]);

const CONNECTIONS_DEFAULT = 16;
const CONNECTIONS_MAX = 1_000;
const DURATION_DEFAULT_MS = 10_000;
const DURATION_MIN_MS = 1_000;
const DURATION_MAX_MS = 3_600_000;
const PROGRESS_MS = 500;

/** What can be asked, and the method of the API that it is. */
const QUESTIONS = {
  count: "countTokens",
  generate: "generateContent",
  stream: "streamGenerateContent?alt=sse",
} as const;
type Question = keyof typeof QUESTIONS;

const BODY = JSON.stringify({ contents: [{ role: "user", parts: [{ text: "Say one word." }] }] });

const FLAGS: Readonly<Record<string, FlagDeclaration>> = {
  ...declareFlags(ENTRIES.filter(({ path }) => OPTIONS.has(path))),
  ask: {
    type: "string",
    describe: "What is asked: count (tokens of a sentence), generate or stream, which use quota of the keys",
    defaultDescription: "count",
  },
  model: { type: "string", describe: "Model that is asked", defaultDescription: "the first of --models" },
  connections: {
    type: "string",
    describe: `Requests at once (1..${CONNECTIONS_MAX})`,
    defaultDescription: String(CONNECTIONS_DEFAULT),
  },
  duration: { type: "string", describe: "How long (1s..1h)", defaultDescription: "10s" },
  json: JSON_FLAG,
};

export const benchCommand: Command = {
  name: "bench",
  summary: "Load a running gateway, by default the one on this machine, and print how it fared",
  flags: FLAGS,
  words: "url",
  run: async (argv, words, context) => {
    const { config } = configOf(argv, context);
    const options = loadOptionsOf(argv, words, config);
    const { Load } = await import("../load-test/load.ts");
    context.remark(introductionOf(options));
    const tally = await untilDone(context, options, (signal) => new Load({ ...options, signal }));
    if (argv["json"] === true) printJson(context, loadJson(tally));
    else context.print(loadText(tally));
    return hasServed(tally) ? EXIT_OK : EXIT_FAILED;
  },
};

type Options = Omit<LoadOptions, "signal">;

/** Runs the load, on a terminal with a line that tells how far it is; Ctrl-C ends it early and prints what there is. */
async function untilDone(
  context: CommandContext,
  { durationMs }: Options,
  start: (signal: AbortSignal) => Load,
): Promise<LoadTally> {
  const { promise, resolve } = Promise.withResolvers<LoadTally>();
  await untilInterrupted(async (signal) => {
    const load = start(signal);
    const timer = setInterval(() => context.redraw?.(loadProgress(load.tally(), durationMs)), PROGRESS_MS);
    await load.run();
    clearInterval(timer);
    context.redraw?.("");
    resolve(load.tally());
  });
  return promise;
}

function loadOptionsOf(argv: Arguments, words: readonly string[], config: GatewayConfig): Options {
  const ask = questionOf(textFlag(argv, "ask") ?? "count");
  const model = textFlag(argv, "model") ?? config.models[0];
  if (model === undefined) throw new ConfigError("--model must name a model, as --models names none");
  const base = baseUrlOf(words, config);
  const secret = config.authKey[0]?.secret;
  return {
    url: new URL(`${base}/v1beta/models/${encodeURIComponent(model)}:${QUESTIONS[ask]}`),
    headers: {
      "content-type": "application/json",
      ...(secret !== undefined && { "x-goog-api-key": secret }),
    },
    body: BODY,
    connections: connectionsOf(textFlag(argv, "connections")),
    durationMs: durationOf(textFlag(argv, "duration")),
  };
}

/** Without a slash at its end. Throws ConfigError; a URL may carry a secret, so it is not repeated. */
function baseUrlOf(words: readonly string[], { host, port, pathPrefix }: GatewayConfig): string {
  const [given, ...more] = words;
  if (more.length > 0) throw new ConfigError("bench takes one URL");
  if (given === undefined) return `http://${reachable(host)}:${port}${pathPrefix}`;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isPlain =
    url !== undefined && /^https?:$/.test(url.protocol) && url.username + url.search + url.hash === "";
  if (!isPlain)
    throw new ConfigError("bench takes a URL such as http://127.0.0.1:55200, without a user name or query");
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** A gateway that listens everywhere is reached over loopback. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

function questionOf(text: string): Question {
  if (Object.hasOwn(QUESTIONS, text)) return text as Question;
  throw new ConfigError(`--ask must be one of ${Object.keys(QUESTIONS).join(", ")}`);
}

function connectionsOf(text: string | undefined): number {
  if (text === undefined) return CONNECTIONS_DEFAULT;
  const connections = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (connections >= 1 && connections <= CONNECTIONS_MAX) return connections;
  throw new ConfigError(`--connections must be a whole number from 1 to ${CONNECTIONS_MAX}`);
}

function durationOf(text: string | undefined): number {
  const durationMs = text === undefined ? DURATION_DEFAULT_MS : parseDuration(text);
  if (durationMs !== undefined && durationMs >= DURATION_MIN_MS && durationMs <= DURATION_MAX_MS)
    return durationMs;
  throw new ConfigError("--duration must be a time from 1s to 1h, written as 30s or 5m");
}

function introductionOf({ url, connections, durationMs, headers }: Options): string {
  const anonymous =
    "x-goog-api-key" in headers
      ? ""
      : " No auth key is given, so the limits per address apply: see --auth-key.";
  return `Asking ${url.origin}${url.pathname} over ${connections} connections for ${durationMs / 1000} s.${anonymous}`;
}
