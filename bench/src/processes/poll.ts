/** Waiting for what another process does and cannot tell us. Runs in the bench's main process. */
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds between two looks: also the resolution of what is timed with it. */
export const POLL_MS = 5;

/** Looks until something is found and gives it. Rejects after the time, or when `failed` does. */
export async function poll<Found>(
  what: string,
  look: () => Found | undefined | Promise<Found | undefined>,
  options: { readonly timeoutMs: number; readonly failed?: Promise<never> },
): Promise<Found> {
  const endsAtMs = performance.now() + options.timeoutMs;
  while (performance.now() < endsAtMs) {
    const found = await look();
    if (found !== undefined) return found;
    const pause = sleep(POLL_MS);
    await (options.failed === undefined ? pause : Promise.race([pause, options.failed]));
  }
  throw new Error(`${what} did not happen within ${options.timeoutMs / 1000} s`);
}
