/**
 * Tells what differs between two configurations, and whether a running gateway may take the difference over. Pure.
 * Only names of options are told, never a value: it may be a secret.
 */
import type { GatewayConfig } from "../config.ts";
import { ENTRIES, type Entry } from "./entries.ts";

/** Paths of options, such as `lease.maxWait`, whose values differ. */
export interface ConfigDifference {
  /** Those a running gateway takes over. */
  readonly live: readonly string[];
  /** Those that only a new start does. */
  readonly restart: readonly string[];
}

/** Which options differ, in the order of the schema. */
export function compareConfigs(before: GatewayConfig, after: GatewayConfig): ConfigDifference {
  const changed = ENTRIES.filter((entry) => written(before, entry) !== written(after, entry));
  const pathsOf = (reload: "live" | "restart"): string[] =>
    changed.filter(({ option }) => option.reload === reload).map(({ path }) => path);
  return { live: pathsOf("live"), restart: pathsOf("restart") };
}

/** Values are plain data. JSON would write an endless time as null, which no option has otherwise. */
function written(config: GatewayConfig, { resolvedPath }: Entry): string {
  const value = resolvedPath.reduce<unknown>(
    (node, name) => (node as Readonly<Record<string, unknown>>)[name],
    config,
  );
  return JSON.stringify(value);
}
