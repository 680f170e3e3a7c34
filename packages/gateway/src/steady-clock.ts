/**
 * The clock of every decision: milliseconds since the epoch that never jump. It is set by the wall clock once, when the
 * process starts, and goes on with the machine's monotonic clock; whoever sets the wall clock neither frees nor freezes
 * a key. Every thread of the process reads the same: the primary sets it, the others are started with its anchor.
 *
 * A machine that sleeps stops it: rests go on where they were. What must follow the wall clock (the quota's day, the
 * times in logs) asks for the wall clock's lead.
 */

/** Where a clock was set. Plain data: it crosses to the threads that are to read the same time. */
export interface ClockAnchor {
  /** Milliseconds since the epoch. */
  readonly wallMs: number;
  /** The monotonic clock at that moment, the same for all threads of the process, milliseconds. */
  readonly monotonicMs: number;
}

export interface ClockSources {
  readonly wallMs: () => number;
  readonly monotonicMs: () => number;
}

/** Reads the steady time, whole milliseconds since the epoch. */
export type Now = () => number;

export class SteadyClock {
  readonly anchor: ClockAnchor;
  readonly now: Now;
  readonly #sources: ClockSources;

  constructor(sources: ClockSources = systemSources()) {
    this.#sources = sources;
    this.anchor = { wallMs: sources.wallMs(), monotonicMs: sources.monotonicMs() };
    this.now = steadyNow(this.anchor, sources.monotonicMs);
  }

  /** How far the wall clock is ahead of this one since somebody set it, milliseconds; negative when behind. */
  get wallLeadMs(): number {
    return this.#sources.wallMs() - this.now();
  }
}

/** The clock that was anchored in another thread of this process. Whole milliseconds: they end up in logs and tables. */
export function steadyNow(anchor: ClockAnchor, monotonicMs = systemSources().monotonicMs): Now {
  const startMs = anchor.wallMs - anchor.monotonicMs;
  return () => Math.floor(startMs + monotonicMs());
}

/** `performance.now()` begins anew in each thread; `process.hrtime()` does not, but costs more. */
function systemSources(): ClockSources {
  const [seconds, nanoseconds] = process.hrtime();
  const threadStartMs = seconds * 1_000 + nanoseconds / 1e6 - performance.now();
  return { wallMs: Date.now, monotonicMs: () => threadStartMs + performance.now() };
}
