/**
 * Finds the command that the arguments name, checks its flags and runs it. yargs reads the arguments and writes the
 * help; what is unknown is refused here, because yargs does not say what was probably meant. Primary thread.
 */
import yargs, { type Argv } from "yargs";
import { ConfigError } from "../config/config-error.ts";
import { type Arguments, refuseUnknownFlags } from "../config/flags.ts";
import { nearestName } from "../config/nearest.ts";
import { type Command, type CommandContext, EXIT_OK } from "./command.ts";

const PROGRAM = "gemini-gateway";
const HELP_WIDTH_MAX = 110;

/** What commands have in common that share a first word. */
export type Groups = Readonly<Record<string, string>>;

/** Flags that yargs itself answers. */
const COMMON_FLAGS = ["help", "version"];

/**
 * Runs the command in `args` and gives its exit code. Without a command it prints the help.
 * Throws ConfigError for what cannot be understood, and whatever the command throws.
 */
export async function dispatch(
  args: readonly string[],
  commands: readonly Command[],
  groups: Groups,
  context: CommandContext,
): Promise<number> {
  let exitCode = EXIT_OK;
  const perform = async (command: Command, argv: Arguments): Promise<void> => {
    exitCode = await runCommand(command, argv, context);
  };
  const parser = prepare(context);
  for (const command of commands.filter(({ name }) => !name.includes(" ")))
    addCommand(parser, command, perform);
  for (const [group, summary] of Object.entries(groups)) {
    const members = commands.filter(({ name }) => name.startsWith(`${group} `));
    parser.command(group, summary, (inner) => {
      for (const member of members) addCommand(inner, member, perform);
      return addFallback(inner, `${group} `, members);
    });
  }
  addFallback(parser, "", [...commands, ...Object.keys(groups).map((name) => ({ name }))]);

  // With a callback yargs hands the help and the version over instead of printing them.
  let output = "";
  await parser.parseAsync([...args], {}, (_error, _argv, text) => {
    output = text;
  });
  if (output !== "") context.print(output);
  return exitCode;
}

function prepare(context: CommandContext): Argv {
  const parser = yargs()
    .scriptName(PROGRAM)
    .usage("$0 <command> [options]\n\nA gateway for the Gemini API over a pool of your own keys.")
    .epilogue("Every option can also be given in the environment or in a file: see docs/configuration.md.")
    .detectLocale(false)
    .exitProcess(false)
    .showHelpOnFail(false)
    .version(context.version)
    .alias("help", "h")
    .parserConfiguration({
      "boolean-negation": true,
      "camel-case-expansion": false,
      "dot-notation": false,
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "strip-aliased": true,
    })
    .fail((message, error) => {
      throw error ?? new ConfigError(message);
    });
  return parser.wrap(Math.min(HELP_WIDTH_MAX, parser.terminalWidth()));
}

function addCommand(
  parser: Argv,
  command: Command,
  perform: (command: Command, argv: Arguments) => Promise<void>,
): void {
  const lastWord = command.name.split(" ").at(-1) ?? "";
  const synopsis = command.words === undefined ? lastWord : `${lastWord} [${command.words}..]`;
  parser.command(
    synopsis,
    command.summary,
    (inner) => {
      inner.options(command.flags).usage(`$0 ${command.name}\n\n${command.summary}`);
      return command.words === undefined
        ? inner
        : inner.positional(command.words, { type: "string", array: true });
    },
    (argv) => perform(command, argv),
  );
}

/** What happens when no command is named: help when nothing else is given, else a refusal. */
function addFallback(parser: Argv, prefix: string, commands: readonly { readonly name: string }[]): Argv {
  return parser.command("$0", false, {}, (argv: Arguments) => {
    const known = commands.map(({ name }) => name.slice(prefix.length)).filter((name) => !name.includes(" "));
    const word = wordsOf(argv)[prefix === "" ? 0 : 1];
    if (word !== undefined) throw new ConfigError(unknownCommandSentence(prefix, word, known));
    if (Object.keys(argv).some((name) => name !== "_" && name !== "$0")) {
      throw new ConfigError(`No command is given; name one of ${known.join(", ")} before the options`);
    }
    parser.showHelp("log");
  });
}

function runCommand(command: Command, argv: Arguments, context: CommandContext): Promise<number> {
  const known = [...Object.keys(command.flags), ...COMMON_FLAGS];
  refuseUnknownFlags(
    argv,
    command.words === undefined ? known : [...known, command.words],
    `${PROGRAM} ${command.name}`,
  );
  const extra = wordsOf(argv).slice(command.name.split(" ").length);
  if (extra.length > 0) {
    // The word itself is not repeated: it may be a secret that lost its flag.
    throw new ConfigError(
      command.wordsRefused ?? `${command.name} takes no further words; options begin with --`,
    );
  }
  const words = command.words === undefined ? undefined : argv[command.words];
  return command.run(argv, Array.isArray(words) ? words.map(String) : [], context);
}

function wordsOf(argv: Arguments): readonly string[] {
  return Array.isArray(argv["_"]) ? argv["_"].map(String) : [];
}

function unknownCommandSentence(prefix: string, word: string, known: readonly string[]): string {
  const nearest = nearestName(word, known);
  return nearest === undefined
    ? `There is no such command; name one of ${known.map((name) => prefix + name).join(", ")}`
    : `There is no such command; did you mean ${PROGRAM} ${prefix}${nearest}?`;
}
