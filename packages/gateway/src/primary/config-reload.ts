/**
 * Reads the configuration again when the operator asks (SIGHUP) or its file changed, and has it put into effect.
 * Primary thread. A configuration that cannot be taken over as a whole changes nothing: the log says why.
 */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { Logger } from "pino";
import { ConfigError } from "../config/config-error.ts";
import type { GatewayConfig } from "../config.ts";
import { FolderWatch } from "./keys/folder-watch.ts";

export interface ConfigReloadOptions {
  /** The configuration file; "" when there is none. */
  readonly path: string;
  /** Resolves the configuration anew, with the flags and the environment of the start. Throws ConfigError. */
  readonly read: () => GatewayConfig;
  /** Puts it into effect whole and returns the options that changed, or throws ConfigError and changes nothing. */
  readonly apply: (next: GatewayConfig) => readonly string[];
  readonly log: Logger;
}

/** An editor writes a file in several steps; this long after the first of them it is looked at, milliseconds. */
const GATHER_MS = 250;
/** How often the file is looked at for changes that no watch tells (links to elsewhere, network disks), milliseconds. */
const CHECK_INTERVAL_MS = 10_000;

export class ConfigReload implements Disposable {
  readonly #options: ConfigReloadOptions;
  readonly #watch: FolderWatch;
  readonly #check: NodeJS.Timeout | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #seen: string;

  constructor(options: ConfigReloadOptions) {
    const { path } = options;
    this.#options = options;
    this.#seen = traceOf(path);
    // The folder, not the file: editors and container platforms replace the file by another of its name.
    this.#watch = new FolderWatch(dirname(path), () => this.#gather());
    if (path === "") return;
    this.#watch.follow(path);
    this.#check = setInterval(() => this.#reloadIfChanged(), CHECK_INTERVAL_MS);
    this.#check.unref();
  }

  /** Reads and applies the configuration now. Never throws. */
  reload(cause: "SIGHUP" | "changed file"): void {
    const { path, read, apply, log } = this.#options;
    this.#seen = traceOf(path);
    try {
      const options = apply(read());
      if (options.length > 0) log.info({ cause, options }, "configuration reloaded");
      else log.info({ cause }, "configuration read again: nothing in it has changed");
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      log.error(
        { cause, reason: error.message },
        "configuration refused as a whole; the one in effect stays",
      );
    }
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    clearInterval(this.#check);
    clearTimeout(this.#gathering);
  }

  #gather(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#reloadIfChanged();
    }, GATHER_MS);
  }

  #reloadIfChanged(): void {
    const { path } = this.#options;
    if (traceOf(path) !== this.#seen) this.reload("changed file");
  }
}

/** Differs whenever the file was written or replaced; "" when it is not there. */
function traceOf(path: string): string {
  const stats = path === "" ? undefined : statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? "" : `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}
