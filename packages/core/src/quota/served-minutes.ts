/**
 * Counts successes by the minute in which they began: enough to see that a limit believed in is too low.
 * Pure data structure of the primary thread.
 */

const MINUTE_MS = 60_000;

export class ServedMinutes {
  #minute = 0;
  #count = 0;
  #countBefore = 0;

  /** Counts one success; returns how many its minute has. One from before the last minute counts alone. */
  add(startedAtMs: number): number {
    const minute = Math.floor(startedAtMs / MINUTE_MS);
    if (minute > this.#minute) {
      this.#countBefore = minute === this.#minute + 1 ? this.#count : 0;
      this.#count = 0;
      this.#minute = minute;
    }
    if (minute === this.#minute) return ++this.#count;
    return minute === this.#minute - 1 ? ++this.#countBefore : 1;
  }
}
