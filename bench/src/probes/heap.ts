/**
 * Loaded into the gateway with `node --expose-gc --import`: what is left on the heap of each thread after a collection. On
 * SIGUSR2 the primary and every HTTP worker collect and write that to a file of their own beside BENCH_HEAP. Runs in
 * the gateway's threads, beside their own work; the probers are left alone, for they come and go.
 */
import { writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import threads, { isMainThread, type WorkerOptions } from "node:worker_threads";

/** How the gateway names its HTTP workers. */
const WORKER_NAME = /^gateway-\d+$/;
const CHANNEL = "bench-heap";

function listen(path: string, name: string): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", () => {
    globalThis.gc?.();
    writeFileSync(`${path}.${name}`, String(process.memoryUsage().heapUsed));
  });
  (channel as unknown as NodeJS.Immediate).unref();
}

/** The gateway starts its workers with no flags of its own process, so the probe has to be handed on. */
function handOn(): void {
  const Plain = threads.Worker;
  threads.Worker = class extends Plain {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      const isServing = WORKER_NAME.test(options.name ?? "");
      super(file, isServing ? { ...options, execArgv: ["--import", import.meta.url] } : options);
    }
  };
  syncBuiltinESMExports();
}

const path = process.env["BENCH_HEAP"];
if (path !== undefined) {
  listen(path, isMainThread ? "primary" : (threads.threadName ?? "worker"));
  if (isMainThread) {
    handOn();
    process.on("SIGUSR2", () => {
      const channel = new BroadcastChannel(CHANNEL);
      channel.postMessage("collect");
      channel.close();
    });
  }
}
