/** The rules between two options: one must not be more than the other. Pure. */
import { parseThreshold } from "@gemini-gateway/core/limits/breaker";
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
    lower: "breaker.low",
    upper: "breaker.high",
    holds: ({ breaker }) => isInOrder(breaker.low, breaker.high),
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

/** A count and a share cannot be compared: which is more depends on the number of keys. */
function isInOrder(lower: string, upper: string): boolean {
  const [low, high] = [parseThreshold(lower), parseThreshold(upper)];
  if (low?.kind === "count" && high?.kind === "count") return low.keys <= high.keys;
  if (low?.kind === "share" && high?.kind === "share") return low.share <= high.share;
  return true;
}
