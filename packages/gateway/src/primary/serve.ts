/** The command `serve`: a gateway with a process around it (signals, exit code, what is told at the start). Primary. */
import type { GatewayConfig } from "../config.ts";
import { startGateway } from "./gateway.ts";
import { openLog, type Log } from "./log.ts";
import type { ThreadEntries } from "./thread-entries.ts";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
type Signal = (typeof SIGNALS)[number];
/** Exit code after a second signal, as shells count it: 128 + SIGTERM or SIGINT. */
const CUT_SHORT = { SIGTERM: 143, SIGINT: 130 } as const;

/** Serves until a signal; resolves with the exit code. */
export async function serve(config: GatewayConfig, entries: ThreadEntries): Promise<number> {
  const opened = await openLog(config, process.stdout.isTTY);
  const { log } = opened;
  const gateway = await startGateway(config, entries, log);
  log.info({ url: gateway.url, port: gateway.port, workers: config.workers, pid: process.pid }, "listening");
  opened.flush();
  const signal = await firstSignal(opened);
  log.info({ signal }, "draining; a second signal ends at once");
  opened.flush();
  const how = await gateway.stop();
  log.info({ how }, "stopped");
  opened.flush();
  return 0;
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
