/**
 * Long work in short steps: a generator yields wherever it may be interrupted, and the one who runs it decides when.
 * The primary thread answers lease requests between the steps; a step should stay below {@link STEP_BUDGET_MS}.
 */
import { setImmediate as nextTurn } from "node:timers/promises";

/** Work that yields at its resting places and returns its result at the end. */
export type Steps<T> = Generator<void, T, void>;

/** How long the primary works before it lets other events in, milliseconds: with what these bring it is one turn of its loop. */
export const STEP_BUDGET_MS = 4;

/** Runs the work in one go: for tests, and for the command line, which serves nobody meanwhile. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Runs the work, giving way to other events whenever `budgetMs` has been used up.
 * Rejects with the signal's reason when it is aborted between two steps; what earlier steps did stays done.
 */
export async function runInSteps<T>(
  steps: Steps<T>,
  { budgetMs = STEP_BUDGET_MS, signal }: { budgetMs?: number; signal?: AbortSignal } = {},
): Promise<T> {
  let pauseAtMs = performance.now() + budgetMs;
  for (;;) {
    signal?.throwIfAborted();
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() < pauseAtMs) continue;
    await nextTurn();
    pauseAtMs = performance.now() + budgetMs;
  }
}

/**
 * For long work that waits for other things, too, and so cannot be a generator of steps: to be awaited wherever it may be
 * interrupted. Gives way to other events whenever `budgetMs` has been used up.
 */
export function restingPlace(budgetMs = STEP_BUDGET_MS): () => Promise<void> {
  let pauseAtMs = performance.now() + budgetMs;
  return async () => {
    if (performance.now() < pauseAtMs) return;
    await nextTurn();
    pauseAtMs = performance.now() + budgetMs;
  };
}
