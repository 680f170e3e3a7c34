/**
 * `gemini-gateway keys test`: tests keys now, through the running gateway or by itself when none runs. Primary thread.
 */
import { ConfigError } from "../config/config-error.ts";
import { ENTRIES } from "../config/entries.ts";
import { type Arguments, declareFlags, type FlagDeclaration } from "../config/flags.ts";
import { TEST_CONCURRENCY_MAX } from "../control/key-desk-requests.ts";
import type { TestLine, TestRequest } from "../control/key-desk-types.ts";
import { type Command, type CommandContext, configOf, EXIT_FAILED, EXIT_OK, JSON_FLAG } from "./command.ts";
import { fingerprintsOf } from "./fingerprints.ts";
import { countFlag } from "./guard-flags.ts";
import { progressBar, resultText, TestSummary } from "./print-tests.ts";
import { untilInterrupted } from "./until-interrupted.ts";

/** Options of the gateway that matter when it does not run. */
const OPTIONS =
  /^(?:keysDir|database|config|upstream|upstreamHttp2|proxy|models|probe|logLevel|timeouts\.connect|probing\..*)$/;

const FLAGS: Readonly<Record<string, FlagDeclaration>> = {
  ...declareFlags(ENTRIES.filter(({ path }) => OPTIONS.test(path))),
  key: { type: "string", describe: "Test this key, named by its fingerprint; may be given several times" },
  model: {
    type: "string",
    describe: "Test on this model instead of those of --models; may be given several times",
  },
  all: { type: "boolean", describe: "Test also what is known to work" },
  concurrency: { type: "string", describe: `Tests at once (1..${TEST_CONCURRENCY_MAX})` },
  json: { ...JSON_FLAG, describe: "Print a line of JSON for each event" },
};

export const keysTestCommand: Command = {
  name: "keys test",
  summary:
    "Test keys now: what is not known to work, some keys (--key), or all (--all); exit code 1 if none serves",
  flags: FLAGS,
  run: async (argv, _words, context) => {
    const { config } = configOf(argv, context);
    const request = requestOf(argv, config.probe);
    const { testKeys } = await import("../control/test-commands.ts");
    const report = argv["json"] === true ? jsonReport(context) : wordReport(context);
    await untilInterrupted(async (signal) => {
      for await (const line of testKeys({ config, entry: context.proberEntry }, request, signal))
        report.tell(line);
    });
    return report.isServing() ? EXIT_OK : EXIT_FAILED;
  },
};

function requestOf(argv: Arguments, probe: TestRequest["ask"] | "off"): TestRequest {
  const concurrency = countFlag(argv, "concurrency", TEST_CONCURRENCY_MAX);
  return {
    fingerprints: fingerprintsOf("--key", textsOf(argv, "key")),
    models: textsOf(argv, "model"),
    all: argv["all"] === true,
    concurrency: concurrency === 0 ? null : concurrency,
    ask: probe === "off" ? "auto" : probe,
  };
}

function textsOf(argv: Arguments, flag: string): string[] {
  const raw = argv[flag];
  const texts = raw === undefined ? [] : [raw].flat();
  if (texts.every((text): text is string => typeof text === "string" && text !== "")) return texts;
  throw new ConfigError(`--${flag} must have a value`);
}

interface Report {
  tell(line: TestLine): void;
  isServing(): boolean;
}

function jsonReport(context: CommandContext): Report {
  let isServing = false;
  const tell = (line: TestLine): void => {
    if (line.type === "ended") isServing = line.serving > 0;
    context.print(JSON.stringify(line));
  };
  return { tell, isServing: () => isServing };
}

/** A bar where there is a terminal to redraw it, a line for each result elsewhere; then the summary. */
function wordReport(context: CommandContext): Report {
  const summary = new TestSummary();
  let isServing = false;
  const tell = (line: TestLine): void => {
    summary.add(line);
    if (line.type === "ended") {
      isServing = line.serving > 0;
      context.redraw?.("");
      context.print(summary.text(line));
    } else if (context.redraw !== undefined) {
      context.redraw(barOf(line));
    } else if (line.type === "result") {
      context.print(resultText(line));
    }
  };
  return { tell, isServing: () => isServing };
}

function barOf(line: Exclude<TestLine, { type: "ended" }>): string {
  if (line.type === "planned") return progressBar(0, line.total, "");
  return progressBar(
    line.done,
    line.total,
    line.type === "result" ? `${line.fingerprint} ${line.outcome}` : "",
  );
}
