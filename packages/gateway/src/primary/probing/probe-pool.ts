/**
 * The piscina pool of prober threads: takes a batch, gives its results. Primary thread.
 * A thread that dies or hangs is replaced and its batch tried once more. Must never let a secret into a log or an error.
 */
import { Piscina } from "piscina";
import type { Logger } from "pino";
import type { GatewayConfig } from "../../config.ts";
import { type ProbeReport, PROBER_FUNCTION, type ProberStart, type ProbeTest } from "../../probe-protocol.ts";
import type { SteadyClock } from "../../steady-clock.ts";

export interface ProbePoolOptions {
  readonly config: Pick<GatewayConfig, "upstream" | "proxy" | "timeouts" | "upstreamHttp2" | "probing">;
  /** Entry of a prober thread. */
  readonly entry: URL;
  readonly clock: SteadyClock;
  readonly log: Logger;
}

/** Threads wait for the network and hardly compute: a second one is there for when the first hangs. */
export const PROBE_THREADS_MAX = 2;
const ATTEMPTS_MAX = 2;
/** Beyond the time its tests may take, until a thread counts as hanging, milliseconds. */
const BATCH_GRACE_MS = 10_000;
/** Threads without a batch end after this time, milliseconds. */
const IDLE_MS = 60_000;

export class ProbePool implements AsyncDisposable {
  readonly #options: ProbePoolOptions;
  readonly #pool: Piscina;
  #hasEnded = false;

  constructor(options: ProbePoolOptions) {
    this.#options = options;
    const { upstream, proxy, timeouts, upstreamHttp2: http2 } = options.config;
    const workerData: ProberStart = {
      upstream,
      proxy,
      connectMs: timeouts.connectMs,
      http2,
      clock: options.clock.anchor,
    };
    this.#pool = new Piscina({
      filename: options.entry.href,
      name: PROBER_FUNCTION,
      workerData,
      minThreads: 0,
      maxThreads: PROBE_THREADS_MAX,
      idleTimeout: IDLE_MS,
      // A thread that blocks between batches would not see its connections close.
      atomics: "disabled",
      execArgv: [],
    });
    // Told by the batch that fails with it; an idle thread that dies is replaced when one is needed.
    this.#pool.on("error", () => {});
  }

  /** Threads alive now, by their ids; for tests. */
  get threadIds(): readonly number[] {
    return this.#pool.threads.map(({ threadId }) => threadId);
  }

  /** Ends a thread as a crash would; for tests. */
  async kill(threadId: number): Promise<void> {
    await this.#pool.threads.find((thread) => thread.threadId === threadId)?.terminate();
  }

  /** The results in the order of the tests; undefined when no thread could do it, or the pool has ended. */
  async run(tests: readonly ProbeTest[], concurrency: number): Promise<ProbeReport | undefined> {
    const { timeoutMs } = this.#options.config.probing;
    const batch = { tests, concurrency, timeoutMs };
    const longestMs = Math.ceil(tests.length / concurrency) * timeoutMs + BATCH_GRACE_MS;
    for (let attempt = 1; attempt <= ATTEMPTS_MAX && !this.#hasEnded; attempt += 1) {
      try {
        return (await this.#pool.run(batch, { signal: AbortSignal.timeout(longestMs) })) as ProbeReport;
      } catch (error) {
        // Only its kind: an error of a thread could quote what it was given.
        const why = error instanceof Error ? error.name : "unknown";
        if (!this.#hasEnded)
          this.#options.log.error({ why, attempt, tests: tests.length }, "a test thread failed");
      }
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hasEnded = true;
    await this.#pool.destroy();
  }
}
