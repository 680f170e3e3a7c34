/**
 * What probes inside a gateway share: they are loaded into its primary with `node --import`, hand themselves on to its
 * HTTP workers, and act in all of these threads on SIGUSR2. Runs in the gateway's threads, beside their own work; the
 * probers are left alone, for they come and go.
 */
import { syncBuiltinESMExports } from "node:module";
import threads, { isMainThread, type WorkerOptions } from "node:worker_threads";

/** How the gateway names its HTTP workers. */
const WORKER_NAME = /^gateway-\d+$/;
const CHANNEL = "bench-probe";

/** Calls `act` with the name of the thread, `primary` or `gateway-0`, at every SIGUSR2. `probe`: the URL of its file. */
export function onSignal(probe: string, act: (thread: string) => void): void {
  const name = isMainThread ? "primary" : (threads.threadName ?? "worker");
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", () => act(name));
  (channel as unknown as NodeJS.Immediate).unref();
  if (!isMainThread) return;
  handOn(probe);
  process.on("SIGUSR2", () => {
    const sender = new BroadcastChannel(CHANNEL);
    sender.postMessage("now");
    sender.close();
  });
}

/** The gateway gives its workers none of the flags of its own process. */
function handOn(probe: string): void {
  const Plain = threads.Worker;
  threads.Worker = class extends Plain {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      const isServing = WORKER_NAME.test(options.name ?? "");
      super(file, isServing ? { ...options, execArgv: ["--import", probe] } : options);
    }
  };
  syncBuiltinESMExports();
}
