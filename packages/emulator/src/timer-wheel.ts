/**
 * One timer for all that waits: thousands of paced streams cost one tick, not a timer each. Runs on the emulator's
 * thread; idle, it holds no timer at all.
 */

/** Something that is woken once for every time it is scheduled. */
export interface Wakeable {
  wake(): void;
}

/** Precision of every pause, milliseconds. */
export const TICK_MS = 5;
/** A turn of the wheel is {@link TICK_MS} times this; longer waits go round. */
const SLOTS = 1024;

interface Waiting {
  readonly sleeper: Wakeable;
  readonly dueTick: number;
}

export class TimerWheel implements Disposable {
  readonly #slots: Waiting[][] = Array.from({ length: SLOTS }, () => []);
  readonly #startedMs: number;
  readonly #monotonicMs: () => number;
  #tick = 0;
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
    this.#startedMs = monotonicMs();
  }

  /** Wakes `sleeper` at or just after a moment of the monotonic clock, milliseconds; never within this call. */
  schedule(sleeper: Wakeable, dueMs: number): void {
    if (this.#waiting === 0) this.#tick = this.#tickNow();
    const dueTick = Math.max(this.#tick + 1, Math.ceil((dueMs - this.#startedMs) / TICK_MS));
    this.#slots[dueTick % SLOTS]?.push({ sleeper, dueTick });
    this.#waiting += 1;
    this.#timer ??= setInterval(() => this.#turn(), TICK_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const slot of this.#slots) slot.length = 0;
    this.#waiting = 0;
  }

  #tickNow(): number {
    return Math.floor((this.#monotonicMs() - this.#startedMs) / TICK_MS);
  }

  /** Catches up with the clock, slot by slot. */
  #turn(): void {
    const now = this.#tickNow();
    while (this.#tick < now && this.#waiting > 0) {
      this.#tick += 1;
      this.#wakeSlot(this.#tick % SLOTS);
    }
    if (this.#waiting > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #wakeSlot(slot: number): void {
    const waiting = this.#slots[slot] ?? [];
    this.#slots[slot] = [];
    for (const entry of waiting) {
      if (entry.dueTick > this.#tick) {
        this.#slots[slot]?.push(entry);
        continue;
      }
      this.#waiting -= 1;
      entry.sleeper.wake();
    }
  }
}
