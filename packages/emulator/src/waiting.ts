/** Waiting for something to become true of the emulator, woken by its events. Runs on the emulator's thread. */
import { WAIT_MS_DEFAULT } from "./call-log.ts";
import type { CallListener } from "./call-log.ts";

/** Subscribes to events; gives the way to stop. */
export type Subscribe = (listener: CallListener) => () => void;

/**
 * Resolves with the first defined result of `look`, which is asked now and at every event.
 * Rejects with an Error naming `what` after `timeoutMs`: a test that waits in vain says for what.
 */
export function waitUntilFound<T>(
  subscribe: Subscribe,
  look: () => T | undefined,
  what: string,
  timeoutMs: number = WAIT_MS_DEFAULT,
): Promise<T> {
  const found = look();
  if (found !== undefined) return Promise.resolve(found);
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      unsubscribe();
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error(`waited ${timeoutMs} ms in vain for ${what}`));
    }, timeoutMs);
    const unsubscribe = subscribe(() => {
      const later = look();
      if (later === undefined) return;
      end();
      resolve(later);
    });
  });
}
