/** The options as flags of the command line. Pure: the parsed arguments come in. */
import { ConfigError } from "./config-error.ts";
import type { Entry } from "./entries.ts";
import type { Given } from "./environment.ts";
import { boundsOf, defaultOf } from "./expectation.ts";
import { nearestName } from "./nearest.ts";

/**
 * Flags as the parser gives them, by name without dashes (`lease-max-wait`). A text, or several when a flag stands
 * more than once; a boolean for a switch. The keys `_` and `$0` are the parser's own.
 */
export type Arguments = Readonly<Record<string, unknown>>;

/** What the parser and its help need to know of a flag. */
export interface FlagDeclaration {
  /** Without it a flag may stand alone (then it is true) or have a value. */
  readonly type?: "string" | "boolean";
  readonly describe: string;
  readonly group?: string;
  readonly defaultDescription?: string;
}

/** Most characters of an unknown flag that an error repeats: the rest may be a secret that lost its space. */
const NAME_SHOWN_MAX = 40;

/**
 * The flags of these options. All but switches are read as texts: what they mean is `parse-value.ts`'s to say. A switch
 * gets no type, because the parser would take every value of a boolean that it does not know for false.
 */
export function declareFlags(entries: readonly Entry[]): Record<string, FlagDeclaration> {
  return Object.fromEntries(entries.map((entry) => [entry.flag, declareFlag(entry)]));
}

function declareFlag({ option, title }: Entry): FlagDeclaration {
  const standard = plain(defaultOf(option));
  const bounds = boundsOf(option);
  return {
    ...(option.kind === "boolean" ? {} : { type: "string" }),
    describe: plain(firstSentence(option.manual)) + (bounds === "" ? "" : ` (${bounds})`),
    group: `${title}:`,
    ...(standard === "" ? {} : { defaultDescription: standard }),
  };
}

/** The given values by option path. */
export function readFlags(entries: readonly Entry[], argv: Arguments): Map<string, Given> {
  const given = new Map<string, Given>();
  for (const entry of entries) {
    const raw = argv[entry.flag];
    if (raw !== undefined) given.set(entry.path, { label: `--${entry.flag}`, raw });
  }
  return given;
}

/** Throws ConfigError when `argv` holds a flag that is not in `known`; `helpCommand` is where the flags are listed. */
export function refuseUnknownFlags(argv: Arguments, known: readonly string[], helpCommand: string): void {
  const unknown = Object.keys(argv).find((name) => name !== "_" && name !== "$0" && !known.includes(name));
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, known);
  const advice = nearest === undefined ? `see \`${helpCommand} --help\`` : `did you mean --${nearest}?`;
  const dashes = unknown.length === 1 ? "-" : "--";
  throw new ConfigError(`${dashes}${unknown.slice(0, NAME_SHOWN_MAX)} is not an option here; ${advice}`);
}

/** Without the marks of the docs. */
function plain(text: string): string {
  return text.replaceAll("`", "");
}

/** Up to the first mark that ends a thought; one within brackets does not. */
function firstSentence(manual: string): string {
  return /^(?:\([^)]*\)|[^(])*?(?=[.:;] )/.exec(manual)?.[0] ?? manual.replace(/\.$/, "");
}
