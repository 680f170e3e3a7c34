/**
 * The schema as a flat list, with the names each option has in the different places. Pure; any thread may run it.
 */
import { SCHEMA } from "../config.ts";
import type { Option, Schema } from "./option.ts";

/** In front of every environment name. */
export const ENVIRONMENT_PREFIX = "GEMINI_GATEWAY_";

/** Title of the options that stand outside of a section. */
const MAIN_TITLE = "Main options";

/** One option and all its names. */
export interface Entry {
  readonly option: Option;
  /** Name in the file and in `config show`: `lease.maxWait`. */
  readonly path: string;
  /** Without dashes: `lease-max-wait`. */
  readonly flag: string;
  /** The names looked up, the first one set wins: `GEMINI_GATEWAY_LEASE_MAX_WAIT`. */
  readonly environment: readonly string[];
  /** Where the value stands in the resolved configuration: `["lease", "maxWaitMs"]`. */
  readonly resolvedPath: readonly string[];
  /** Title of the section. */
  readonly title: string;
}

/** All options of a schema, in its order. */
export function entriesOf(schema: Schema): Entry[] {
  return Object.entries(schema).flatMap(([name, node]) =>
    node.kind === "section"
      ? Object.entries(node.options).map(([inner, option]) => entry([name, inner], option, node.title))
      : [entry([name], node, MAIN_TITLE)],
  );
}

/** All options of the gateway. */
export const ENTRIES: readonly Entry[] = entriesOf(SCHEMA);

function entry(names: readonly string[], option: Option, title: string): Entry {
  const words = names.map((name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
  const flag = words.join("-");
  const derived = ENVIRONMENT_PREFIX + flag.toUpperCase().replaceAll("-", "_");
  return {
    option,
    path: names.join("."),
    flag,
    environment: option.environmentAlias === undefined ? [derived] : [derived, option.environmentAlias],
    resolvedPath: [...names.slice(0, -1), (names.at(-1) ?? "") + unitOf(option)],
    title,
  };
}

function unitOf(option: Option): "Ms" | "Bytes" | "" {
  if (option.kind === "duration") return "Ms";
  return option.kind === "size" ? "Bytes" : "";
}
