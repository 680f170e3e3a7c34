/**
 * A load on a running gateway, here or elsewhere: so many connections, each sending its next request when the last is
 * answered. Runs in the command's own process, on node:http, so that operators need nothing besides the gateway. It must
 * never keep an answer, nor name the secret it sends.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

export interface LoadOptions {
  /** Where every request is sent, path and query included. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Requests in progress at once. */
  readonly connections: number;
  readonly durationMs: number;
  /** Ends the load early; like the end of its time it drops requests in progress, which are not counted. */
  readonly signal: AbortSignal;
}

/** What came of a load until now. */
export interface LoadTally {
  readonly elapsedMs: number;
  /** Whole answers, by status. */
  readonly answers: ReadonlyMap<number, number>;
  /** Requests without a whole answer, by the system's code, such as `ECONNREFUSED`. */
  readonly failures: ReadonlyMap<string, number>;
  /** Until the first byte of the body of an answer with status 200, µs. */
  readonly firstByteUs: RecordableHistogram;
  /** Until the end of such an answer, µs. */
  readonly answerUs: RecordableHistogram;
  /** Whether it ended before its time because nothing was served any more. */
  readonly isGivenUp: boolean;
}

/**
 * Answers other than 200 in a row after which no more is asked: going on would measure refusals, and a gateway that does not
 * know the caller bans an address that goes on and on.
 */
const REFUSALS_IN_A_ROW_MAX = 100;
/** Distinct codes of failures that are told apart. */
const FAILURE_CODES_MAX = 50;
/** Pause of one connection after a failure, so that a gateway that is down is not hammered. */
const FAILURE_PAUSE_MS = 100;
/** A connection's request and its pause listen for the end of the load; more would be a leak, of which node warns. */
const LISTENERS_PER_CONNECTION = 4;
/** Longest wait for the next byte of an answer: as long as the gateway itself waits. */
const SILENCE_MS = 600_000;

export class Load {
  readonly #options: LoadOptions;
  readonly #agent: HttpAgent;
  readonly #answers = new Map<number, number>();
  readonly #failures = new Map<string, number>();
  readonly #firstByteUs = createHistogram();
  readonly #answerUs = createHistogram();
  #refusalsInARow = 0;
  #isGivenUp = false;
  #startMs = 0;
  #endMs: number | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    const agentOptions = { keepAlive: true, maxSockets: options.connections };
    this.#agent = isHttps(options) ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  }

  /** Runs the load to its end; never rejects. */
  async run(): Promise<void> {
    const { connections, durationMs, signal } = this.#options;
    this.#startMs = performance.now();
    const stop = AbortSignal.any([signal, AbortSignal.timeout(durationMs)]);
    setMaxListeners(connections * LISTENERS_PER_CONNECTION, stop);
    await Promise.all(Array.from({ length: connections }, () => this.#repeat(stop)));
    this.#endMs = performance.now();
    this.#agent.destroy();
  }

  tally(): LoadTally {
    return {
      elapsedMs: (this.#endMs ?? performance.now()) - this.#startMs,
      answers: this.#answers,
      failures: this.#failures,
      firstByteUs: this.#firstByteUs,
      answerUs: this.#answerUs,
      isGivenUp: this.#isGivenUp,
    };
  }

  async #repeat(stop: AbortSignal): Promise<void> {
    // Nothing more is sent once the load gives up, but what was sent is waited for: it may be what was served.
    while (!stop.aborted && !this.#isGivenUp) {
      const failure = await this.#exchange(stop);
      if (failure === undefined || stop.aborted) continue;
      const code = this.#failures.has(failure) || this.#failures.size < FAILURE_CODES_MAX ? failure : "other";
      this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1);
      await pause(FAILURE_PAUSE_MS, stop);
    }
  }

  /** One request; resolves with the code of its failure, if it failed. */
  #exchange(stop: AbortSignal): Promise<string | undefined> {
    const { url, headers, body } = this.#options;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const send = isHttps(this.#options) ? httpsRequest : httpRequest;
    const startMs = performance.now();
    const sent = send(url, {
      method: "POST",
      agent: this.#agent,
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
      signal: stop,
      timeout: SILENCE_MS,
    });
    sent.on("response", (response) => this.#read(response, startMs, resolve));
    sent.on("timeout", () => sent.destroy(Object.assign(new Error("silent"), { code: "ETIMEDOUT" })));
    sent.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
    sent.end(body);
    return promise;
  }

  #read(response: IncomingMessage, startMs: number, resolve: (failure: string | undefined) => void): void {
    const status = response.statusCode ?? 0;
    let firstByteMs: number | undefined;
    response.on("data", () => {
      firstByteMs ??= performance.now();
    });
    response.on("error", () => undefined);
    response.on("close", () => {
      if (!response.complete) return resolve("INCOMPLETE");
      this.#answers.set(status, (this.#answers.get(status) ?? 0) + 1);
      this.#refusalsInARow = status === 200 ? 0 : this.#refusalsInARow + 1;
      if (this.#refusalsInARow >= REFUSALS_IN_A_ROW_MAX) this.#isGivenUp = true;
      if (status === 200) {
        const endMs = performance.now();
        record(this.#firstByteUs, (firstByteMs ?? endMs) - startMs);
        record(this.#answerUs, endMs - startMs);
      }
      resolve(undefined);
    });
  }
}

function isHttps({ url }: LoadOptions): boolean {
  return url.protocol === "https:";
}

/** A histogram takes whole numbers from 1. */
function record(histogram: RecordableHistogram, valueMs: number): void {
  histogram.record(Math.max(1, Math.round(valueMs * 1000)));
}

async function pause(durationMs: number, stop: AbortSignal): Promise<void> {
  // Rejects when the load ends meanwhile, which is as good as waiting.
  await sleep(durationMs, undefined, { signal: stop }).catch(() => undefined);
}
