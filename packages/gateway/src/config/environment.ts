/** Reads the options that environment variables give. Pure: the environment comes in. */
import { ConfigError } from "./config-error.ts";
import { ENVIRONMENT_PREFIX, type Entry } from "./entries.ts";
import { nearestName } from "./nearest.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Most characters of an unknown name that an error repeats. */
const NAME_SHOWN_MAX = 80;

/** A value that was given, and how to name its place in an error. */
export interface Given {
  readonly label: string;
  readonly raw: unknown;
}

/**
 * Kubernetes sets these for every pod when a Service is called `gemini-gateway`. They describe that Service and are
 * not meant as options.
 */
const SERVICE_LINK = /^(?:SERVICE_(?:HOST|PORT(?:_.+)?)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)$/;
const SERVICE_LINK_VALUE = /^(?:tcp|udp|sctp):\/\//;

/**
 * The given values by option path. An empty variable counts as not set, as an unset one in a compose file becomes.
 * Throws ConfigError for a variable with our prefix that is no option.
 */
export function readEnvironment(entries: readonly Entry[], env: Environment): Map<string, Given> {
  const names = new Set(entries.flatMap((entry) => entry.environment));
  for (const name of Object.keys(env)) {
    if (!names.has(name) && name.startsWith(ENVIRONMENT_PREFIX) && !isServiceLink(name, env[name])) {
      throw new ConfigError(unknownSentence(name, names));
    }
  }
  const given = new Map<string, Given>();
  for (const entry of entries) {
    const label = entry.environment.find((name) => env[name] !== undefined && env[name] !== "");
    if (label !== undefined && !isServiceLink(label, env[label]))
      given.set(entry.path, { label, raw: env[label] });
  }
  return given;
}

function isServiceLink(name: string, value: string | undefined): boolean {
  const rest = name.slice(ENVIRONMENT_PREFIX.length);
  return SERVICE_LINK.test(rest) || (rest === "PORT" && SERVICE_LINK_VALUE.test(value ?? ""));
}

function unknownSentence(name: string, names: ReadonlySet<string>): string {
  // The prefix, which all share, would make any two names look alike.
  const bare = [...names].map((known) => known.replace(ENVIRONMENT_PREFIX, ""));
  const nearest = nearestName(name.slice(ENVIRONMENT_PREFIX.length), bare);
  const advice =
    nearest === undefined ? "see docs/configuration.md" : `did you mean ${ENVIRONMENT_PREFIX}${nearest}?`;
  return `The environment variable ${name.slice(0, NAME_SHOWN_MAX)} is not an option; ${advice}`;
}
