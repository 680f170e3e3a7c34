/**
 * Resolves the configuration: flags over environment over file over defaults. Pure over its inputs (the reading of
 * the file comes in). Runs once in the primary thread at start, and in the commands.
 */
import type { GatewayConfig } from "../config.ts";
import { ConfigError } from "./config-error.ts";
import { ENTRIES } from "./entries.ts";
import { type Environment, type Given, readEnvironment } from "./environment.ts";
import { expectationOf, showValue } from "./expectation.ts";
import { readFileValues } from "./file.ts";
import { type Arguments, readFlags } from "./flags.ts";
import { nearestName } from "./nearest.ts";
import type { Facts, Option, OptionValue } from "./option.ts";
import { parseValue } from "./parse-value.ts";
import { checkRelations } from "./relations.ts";
import { systemReason } from "../system-reason.ts";

/** Where a value came from. `derived`: a default that follows from the machine or another option. */
export type Origin = "flag" | "environment" | "file" | "default" | "derived";

export interface ConfigSources {
  /** Flags by name without dashes; see {@link Arguments}. Keys that are no option are not looked at. */
  readonly argv: Arguments;
  readonly env: Environment;
  /** The text of the file; throws when it cannot be read. */
  readonly readFile: (path: string) => string;
  /** CPU cores this process may use. */
  readonly cores: number;
}

export interface ResolvedConfig {
  readonly config: GatewayConfig;
  /** By option path, such as `lease.maxWait`. */
  readonly origins: Readonly<Record<string, Origin>>;
}

/** Most characters of a bad value that an error repeats. */
const VALUE_SHOWN_MAX = 60;

const CONFIG_PATH = "config";
const HOST_PATH = "host";

/**
 * The configuration that the sources give. Every given value is checked, also one that another source overrides.
 * Throws ConfigError for the first unknown name or bad value.
 */
export function resolveConfig({ argv, env, readFile, cores }: ConfigSources): ResolvedConfig {
  const flags = layer("flag", readFlags(ENTRIES, argv));
  const environment = layer("environment", readEnvironment(ENTRIES, env));
  const file = layer("file", readNamedFile([flags, environment], readFile));
  const { values, origins } = settle([flags, environment, file], cores);
  const config = assemble(values);
  checkRelations(config, (path) => writtenValue(values, path));
  return { config, origins };
}

interface Layer {
  readonly origin: Origin;
  readonly values: ReadonlyMap<string, OptionValue>;
}

function layer(origin: Origin, given: ReadonlyMap<string, Given>): Layer {
  const values = new Map<string, OptionValue>();
  for (const { path, option } of ENTRIES) {
    const found = given.get(path);
    if (found === undefined) continue;
    const value = parseValue(option, found.raw);
    if (value === undefined) throw new ConfigError(badValueSentence(option, found));
    values.set(path, value);
  }
  return { origin, values };
}

function badValueSentence(option: Option, { label, raw }: Given): string {
  const sentence = `${label} must be ${expectationOf(option)}`;
  // A URL may hold a password, and a list of secrets is one.
  if (option.kind === "url" || option.kind === "secret-list") return sentence;
  const nearest =
    option.kind === "choice" && typeof raw === "string" ? nearestName(raw, option.choices) : undefined;
  return `${sentence}; it is ${shown(raw)}${nearest === undefined ? "" : `, did you mean ${nearest}?`}`;
}

function shown(raw: unknown): string {
  if (Array.isArray(raw)) return "a list";
  if (typeof raw === "object" && raw !== null) return "a section";
  if (raw === "") return "empty";
  return typeof raw === "string" ? JSON.stringify(raw.slice(0, VALUE_SHOWN_MAX)) : String(raw);
}

function readNamedFile(above: readonly Layer[], readFile: ConfigSources["readFile"]): Map<string, Given> {
  const named = above.map(({ values }) => values.get(CONFIG_PATH)).find((path) => path !== undefined);
  const path = typeof named === "string" ? named : "";
  return path === "" ? new Map<string, Given>() : readFileValues(ENTRIES, path, readText(path, readFile));
}

function readText(path: string, readFile: ConfigSources["readFile"]): string {
  try {
    return readFile(path);
  } catch (error) {
    throw new ConfigError(`The configuration file ${path} cannot be read ${systemReason(error)}`);
  }
}

interface Settled {
  readonly values: ReadonlyMap<string, OptionValue>;
  readonly origins: Readonly<Record<string, Origin>>;
}

/** Takes each value from the first layer that has it. Derived defaults come last: they look at other options. */
function settle(layers: readonly Layer[], cores: number): Settled {
  const values = new Map<string, OptionValue>();
  const origins: Record<string, Origin> = {};
  for (const { path, option } of ENTRIES) {
    const source = layers.find(({ values: given }) => given.has(path));
    const value = source?.values.get(path) ?? fixedDefault(option);
    if (value === undefined) continue;
    values.set(path, value);
    origins[path] = source?.origin ?? "default";
  }
  const host = values.get(HOST_PATH);
  const facts: Facts = { cores, host: typeof host === "string" ? host : "" };
  for (const { path, option } of ENTRIES) {
    if (values.has(path)) continue;
    values.set(path, derivedDefault(option, facts));
    origins[path] = "derived";
  }
  return { values, origins };
}

function fixedDefault(option: Option): OptionValue | undefined {
  if (option.kind === "secret-list") return [];
  if (typeof option.default === "object" && "from" in option.default) return undefined;
  return option.kind === "duration" || option.kind === "size"
    ? parseValue(option, option.default)
    : option.default;
}

function derivedDefault(option: Option, facts: Facts): OptionValue {
  if (option.kind !== "secret-list" && typeof option.default === "object" && "from" in option.default) {
    return option.default.from(facts);
  }
  throw new TypeError(`an option of kind ${option.kind} has no acceptable default`);
}

function assemble(values: ReadonlyMap<string, OptionValue>): GatewayConfig {
  const root: Record<string, unknown> = {};
  for (const { path, resolvedPath } of ENTRIES) {
    const [first = "", second] = resolvedPath;
    if (second === undefined) root[first] = values.get(path);
    else root[first] = { ...(root[first] as object | undefined), [second]: values.get(path) };
  }
  // The type derives from the same schema as the entries do, and every entry has a value here.
  return root as unknown as GatewayConfig;
}

function writtenValue(values: ReadonlyMap<string, OptionValue>, path: string): string {
  const option = ENTRIES.find((entry) => entry.path === path)?.option;
  const value = values.get(path);
  return option === undefined || value === undefined ? "" : showValue(option, value);
}
