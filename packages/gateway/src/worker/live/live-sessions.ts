/**
 * All Live sessions of a worker: looked at now and then for what is late, idle or gone, and ended together.
 * Worker threads. One timer for all of them, and none while there are none.
 */
import type { LiveSession } from "./live-session.ts";

/** How often sessions are looked at, milliseconds: the coarseness of their time-outs. */
const SWEEP_MS = 500;
/** When the process stops: how long clients have to answer a close before their connection is cut, milliseconds. */
const LAST_CLOSE_MS = 500;

export class LiveSessions {
  /** At most `live.sessions`. */
  readonly #sessions = new Set<LiveSession>();
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(session: LiveSession): void {
    this.#sessions.add(session);
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  remove(session: LiveSession): void {
    this.#sessions.delete(session);
    if (this.#sessions.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Tells every client that its session will end. */
  announceEnd(leftMs: number): void {
    for (const session of this.#sessions) session.announceEnd(leftMs);
  }

  /** Ends every session now. */
  endAll(): void {
    const ended = [...this.#sessions];
    for (const session of ended) session.shutDown();
    setTimeout(() => {
      for (const session of ended) session.cut();
    }, LAST_CLOSE_MS).unref();
  }

  #sweep(): void {
    const nowMs = this.#now();
    for (const session of this.#sessions) session.sweep(nowMs);
  }
}
