/**
 * Shows the effective configuration and where each value came from, with every secret masked. Pure.
 */
import type { GatewayConfig } from "../config.ts";
import { ENTRIES, type Entry } from "./entries.ts";
import { showValue } from "./expectation.ts";
import type { OptionValue } from "./option.ts";
import type { Origin, ResolvedConfig } from "./resolve.ts";

/** One option as it is in effect, safe to print. */
export interface ShownOption {
  readonly path: string;
  /** As it would be written; "" when there is none. */
  readonly value: string;
  readonly origin: Origin;
}

/** All options in the order of the schema. */
export function showConfig({ config, origins }: ResolvedConfig): ShownOption[] {
  return ENTRIES.map((entry) => ({
    path: entry.path,
    value: showValue(entry.option, valueAt(config, entry)),
    origin: origins[entry.path] ?? "default",
  }));
}

function valueAt(config: GatewayConfig, entry: Entry): OptionValue {
  // Entries and configuration derive from the same schema: the path leads to a value of the option's kind.
  return entry.resolvedPath.reduce<unknown>(
    (node, name) => (node as Record<string, unknown>)[name],
    config,
  ) as OptionValue;
}
