/** The rules between two options: one must not be more than the other. Pure. */
import type { GatewayConfig } from "../config.ts";
import { ConfigError } from "./config-error.ts";

interface Relation {
  readonly lower: string;
  readonly upper: string;
  readonly holds: (config: GatewayConfig) => boolean;
}

const RELATIONS: readonly Relation[] = [
  {
    lower: "limits.body",
    upper: "limits.bodyMemory",
    holds: ({ limits }) => limits.bodyBytes <= limits.bodyMemoryBytes,
  },
  {
    lower: "rest.overloadedMin",
    upper: "rest.overloadedMax",
    holds: ({ rest }) => rest.overloadedMinMs <= rest.overloadedMaxMs,
  },
  {
    lower: "timeouts.clientHeaders",
    upper: "timeouts.clientBody",
    holds: ({ timeouts }) => timeouts.clientHeadersMs <= timeouts.clientBodyMs,
  },
];

/** Throws ConfigError for the first rule that does not hold. `written` gives an option's value as it would be written. */
export function checkRelations(config: GatewayConfig, written: (path: string) => string): void {
  for (const { lower, upper, holds } of RELATIONS) {
    if (holds(config)) continue;
    throw new ConfigError(`${lower} (${written(lower)}) must not be more than ${upper} (${written(upper)})`);
  }
}
