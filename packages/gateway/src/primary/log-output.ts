/**
 * Where log lines gather before they are written: many at once, for each write is a call of the system and some work of
 * the stream, whatever its size. Primary thread. A warning waits for nobody; other lines wait {@link FLUSH_INTERVAL_MS}
 * at most. It writes nothing itself: the stream behind it does, in its own time, and keeps what a slow reader leaves.
 */
import { type DestinationStream, pino } from "pino";

/** Characters gathered before a write. */
const GATHERED_MAX = 64 * 1024;
/** Longest time a line waits for others, milliseconds. */
const FLUSH_INTERVAL_MS = 500;
/** Longest wait at the end for a reader that is slow, milliseconds. */
const LAST_WRITE_MS = 5_000;
const WARNING = pino.levels.values["warn"] ?? 0;
const NO_LEVEL = 0;

/** What the lines go to: asynchronous, but for `flushSync`. */
export interface LogSink {
  write(bytes: Buffer): unknown;
  /** Calls back when all that was handed over is written, or cannot be. */
  flush(done: () => void): void;
  /**
   * Writes what was handed over and not yet written; it may overtake what is being written at the moment. Throws when
   * nobody can take it.
   */
  flushSync(): void;
}

export class LogOutput implements DestinationStream, Disposable {
  /** Asks pino to set {@link lastLevel} before each line. */
  readonly [pino.symbols.needsMetadataGsym] = true;
  lastLevel = NO_LEVEL;
  readonly #sink: LogSink;
  readonly #timer: NodeJS.Timeout;
  #gathered = "";
  /** The reader takes nothing: to wait for it once more would keep the process from ending. */
  #isGivenUp = false;

  constructor(sink: LogSink) {
    this.#sink = sink;
    this.#timer = setInterval(() => this.handOver(), FLUSH_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Takes one line or several, each with its end. */
  write(text: string): void {
    this.#gathered += text;
    const isUrgent = this.lastLevel >= WARNING;
    // Lines that do not come from pino bring no level.
    this.lastLevel = NO_LEVEL;
    if (isUrgent || this.#gathered.length >= GATHERED_MAX) this.handOver();
  }

  /** Resolves when everything is written, or the reader takes longer than {@link LAST_WRITE_MS}: then the rest is lost. */
  async written(): Promise<void> {
    this.handOver();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#isGivenUp = true;
      resolve();
    }, LAST_WRITE_MS);
    this.#sink.flush(resolve);
    await promise;
    clearTimeout(timer);
  }

  /** The last of it, before the process ends: written when this returns, unless nobody reads. See {@link written}. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#isGivenUp) return;
    try {
      this.handOver();
      this.#sink.flushSync();
    } catch {
      // Not open yet, or its reader is gone.
    }
  }

  /** Hands over what is gathered. */
  handOver(): void {
    if (this.#gathered === "") return;
    const text = this.#gathered;
    this.#gathered = "";
    // Encoded here and once: handed over as text it would be encoded for every part of it that is written.
    this.#sink.write(Buffer.from(text));
  }
}
