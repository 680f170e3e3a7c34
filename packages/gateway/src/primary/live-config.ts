/**
 * The configuration in effect, for those who ask for it each time they need it. Primary thread.
 * Holds secrets, as the configuration does: must never be logged.
 */
import type { GatewayConfig } from "../config.ts";
import { compareConfigs } from "../config/compare.ts";
import { ConfigError } from "../config/config-error.ts";

/** Hears of a change after it has been made; must not throw, for a change cannot be half made. */
export type ConfigListener = (now: GatewayConfig, before: GatewayConfig) => void;

export class LiveConfig {
  readonly #listeners: ConfigListener[] = [];
  #current: GatewayConfig;

  constructor(config: GatewayConfig) {
    this.#current = config;
  }

  /** What holds now: to be read anew for each use, not to be kept. */
  get current(): GatewayConfig {
    return this.#current;
  }

  /** For what is derived from the configuration and has to be made anew. */
  onChange(listener: ConfigListener): void {
    this.#listeners.push(listener);
  }

  /**
   * Puts another configuration into effect, in this turn and whole. Returns the paths of the options that changed.
   * @throws ConfigError when an option changed that needs a new start; then nothing has changed
   */
  replace(next: GatewayConfig): readonly string[] {
    const before = this.#current;
    const { live, restart } = compareConfigs(before, next);
    if (restart.length > 0) throw new ConfigError(refusalOf(restart));
    if (live.length === 0) return live;
    this.#current = next;
    for (const listener of this.#listeners) listener(next, before);
    return live;
  }
}

function refusalOf(paths: readonly string[]): string {
  return paths.length === 1
    ? `${paths[0]} cannot change while the gateway runs: restart it`
    : `${paths.join(", ")} cannot change while the gateway runs: restart it`;
}
