/**
 * How late the primary's event loop is: the one number that tells whether the thread that decides keeps up.
 * Primary thread.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { LoopDelay } from "../../control/types.ts";

/** How often the loop is looked at, milliseconds. */
const RESOLUTION_MS = 20;
/** A told delay is of the last one to two of these, milliseconds. */
const SPAN_MS = 60_000;
const NANOSECONDS = 1e6;

export class LoopDelayWatch implements Disposable {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  #before: LoopDelay = { p50Ms: 0, p99Ms: 0, maxMs: 0 };

  constructor() {
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#turnOver(), SPAN_MS);
    this.#timer.unref();
  }

  /** The worse of this span and the one before. */
  get delay(): LoopDelay {
    const now = this.#current();
    const { p50Ms, p99Ms, maxMs } = this.#before;
    return {
      p50Ms: Math.max(now.p50Ms, p50Ms),
      p99Ms: Math.max(now.p99Ms, p99Ms),
      maxMs: Math.max(now.maxMs, maxMs),
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }

  #turnOver(): void {
    this.#before = this.#current();
    this.#histogram.reset();
  }

  #current(): LoopDelay {
    const histogram = this.#histogram;
    if (histogram.count === 0) return { p50Ms: 0, p99Ms: 0, maxMs: 0 };
    return {
      p50Ms: delayMs(histogram.percentile(50)),
      p99Ms: delayMs(histogram.percentile(99)),
      maxMs: delayMs(histogram.max),
    };
  }
}

/** What was measured is the time between two looks, which no loop makes shorter than the resolution. */
function delayMs(nanoseconds: number): number {
  return Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS);
}
