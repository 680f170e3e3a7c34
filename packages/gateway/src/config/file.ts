/**
 * Reads the options that a configuration file gives. Pure: the file's text comes in. Its errors never repeat a part of
 * the file, which may hold secrets: they give the line and the column.
 */
import { LineCounter, parseDocument } from "yaml";
import { ConfigError } from "./config-error.ts";
import type { Entry } from "./entries.ts";
import type { Given } from "./environment.ts";
import { nearestName } from "./nearest.ts";

/** A configuration has some fifty options; a longer file is a mistake. */
export const FILE_LENGTH_MAX = 1024 * 1024;

/** Names that may stand in the file without being an option: editors find the JSON Schema by it. */
const SCHEMA_KEY = "$schema";

/** Most characters of an unknown name that an error repeats. */
const NAME_SHOWN_MAX = 80;

/**
 * The given values by option path. `path` is only for errors. A key without a value (`proxy:`) counts as not given.
 * JSON is read as YAML, of which it is a part: that gives positions in errors and refuses a key that stands twice.
 * Throws ConfigError for what is not YAML, not a mapping, or no option.
 */
export function readFileValues(entries: readonly Entry[], path: string, text: string): Map<string, Given> {
  const root = parseText(path, text);
  const given = new Map<string, Given>();
  const sections = new Set(entries.filter(inFile).flatMap((entry) => entry.path.split(".").slice(0, -1)));
  const options = new Set(entries.filter(inFile).map((entry) => entry.path));
  const known = [...options, ...sections];
  for (const [name, value] of Object.entries(root)) {
    if (name === SCHEMA_KEY || (value === null && known.includes(name))) continue;
    if (!sections.has(name)) {
      take(name, value);
      continue;
    }
    if (!isMapping(value))
      throw new ConfigError(`${name} in ${path} must be a section with options below it`);
    for (const [inner, innerValue] of Object.entries(value)) take(`${name}.${inner}`, innerValue);
  }
  return given;

  function take(name: string, raw: unknown): void {
    if (!options.has(name)) throw new ConfigError(unknownSentence(name, path, entries, known));
    if (raw !== null) given.set(name, { label: `${name} in ${path}`, raw });
  }
}

function parseText(path: string, text: string): Readonly<Record<string, unknown>> {
  if (text.length > FILE_LENGTH_MAX) {
    throw new ConfigError(`The configuration file ${path} is longer than ${FILE_LENGTH_MAX} characters`);
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    logLevel: "silent",
    stringKeys: true,
  });
  const [fault] = document.errors;
  if (fault !== undefined) {
    const { line, col } = lineCounter.linePos(fault.pos[0]);
    const what =
      fault.code === "DUPLICATE_KEY"
        ? "has the same name twice"
        : `is not valid YAML or JSON (${fault.code})`;
    throw new ConfigError(`The configuration file ${path} ${what} at line ${line}, column ${col}`);
  }
  const root = rootOf(path, document);
  if (root !== null && !isMapping(root)) {
    throw new ConfigError(`The configuration file ${path} must hold options as \`name: value\``);
  }
  return root ?? {};
}

/** Reading out resolves aliases, of which the parser bounds the number; its error may repeat a name. */
function rootOf(path: string, document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS();
  } catch {
    throw new ConfigError(
      `The configuration file ${path} has an alias that leads nowhere, or too many of them`,
    );
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function inFile(entry: Entry): boolean {
  return entry.option.inFile !== false;
}

function unknownSentence(
  name: string,
  path: string,
  entries: readonly Entry[],
  known: readonly string[],
): string {
  if (entries.some((entry) => entry.path === name)) {
    return `${name} cannot stand in a configuration file such as ${path}; give it as a flag or in the environment`;
  }
  // A resolved name with its unit, a flag and an environment name are all likely slips, and end alike.
  const nearest = nearestName(name, known) ?? nearestName(name.replace(/(?:Ms|Bytes)$/, ""), known);
  const advice = nearest === undefined ? "see docs/configuration.md" : `did you mean ${nearest}?`;
  return `${name.slice(0, NAME_SHOWN_MAX)} in ${path} is not an option; ${advice}`;
}
