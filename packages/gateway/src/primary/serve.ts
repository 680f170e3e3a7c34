/** The command `serve`: a gateway with a process around it (signals, exit code, what is told at the start). Primary. */
import { isatty } from "node:tty";
import type { GatewayConfig } from "../config.ts";
import { ConfigReload } from "./config-reload.ts";
import { setEngine } from "./engine-settings.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { openLog, type Log } from "./log.ts";
import type { ThreadEntries } from "./thread-entries.ts";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
type Signal = (typeof SIGNALS)[number];
/** Standard output. */
const OUTPUT = 1;
/** Exit code after a second signal, as shells count it: 128 + SIGTERM or SIGINT. */
const CUT_SHORT = { SIGTERM: 143, SIGINT: 130 } as const;

/**
 * Serves until a signal; resolves with the exit code.
 * @param readConfig resolves the configuration anew, for a reload; throws ConfigError
 */
export async function serve(
  config: GatewayConfig,
  readConfig: () => GatewayConfig,
  entries: ThreadEntries,
): Promise<number> {
  setEngine();
  const opened = await openLog(config, process.stdout.isTTY);
  const { log } = opened;
  // From now on a SIGHUP ends nobody; one that comes before there is a gateway finds nothing to reload.
  process.on("SIGHUP", ignoreSignal);
  const gateway = await startGateway(config, entries, log);
  using _reload = reloadOnDemand(config, readConfig, gateway, opened);
  log.info({ url: gateway.url, port: gateway.port, workers: config.workers, pid: process.pid }, "listening");
  opened.flush();
  const signal = await firstSignal(opened);
  log.info({ signal }, "draining; a second signal ends at once");
  opened.flush();
  const how = await gateway.stop();
  log.info({ how }, "stopped");
  await opened.written();
  return 0;
}

/** Reloads on SIGHUP and when the file changes. When the terminal is gone, SIGHUP means that it is time to go. */
function reloadOnDemand(
  { config: path }: GatewayConfig,
  read: () => GatewayConfig,
  gateway: Gateway,
  opened: Log,
): Disposable {
  const { log } = opened;
  const reload = new ConfigReload({ path, read, apply: (next) => gateway.reconfigure(next), log });
  const isOnTerminal = isatty(OUTPUT);
  process.on("SIGHUP", () => {
    if (isOnTerminal && !isatty(OUTPUT)) process.kill(process.pid, "SIGTERM");
    else reload.reload("SIGHUP");
    opened.flush();
  });
  return reload;
}

function ignoreSignal(): void {
  // Its being here is what keeps the process alive.
}

/** Resolves at the first signal. The listeners stay: at the second one they end the process. */
function firstSignal(opened: Log): Promise<Signal> {
  const { promise, resolve } = Promise.withResolvers<Signal>();
  let isStopping = false;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (isStopping) endAtOnce(signal, opened);
      isStopping = true;
      resolve(signal);
    });
  }
  return promise;
}

function endAtOnce(signal: Signal, opened: Log): never {
  opened.log.warn({ signal }, "ended at once");
  opened.flush();
  // oxlint-disable-next-line unicorn/no-process-exit -- streams are running: nothing else ends them at once
  process.exit(CUT_SHORT[signal]);
}
