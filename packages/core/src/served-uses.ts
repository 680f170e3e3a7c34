/**
 * The ends of uses that were served, which is what nearly all of them are, as plain numbers: a worker reports hundreds at
 * once, and a list of numbers crosses to the primary at a tenth of the price of objects. Pure.
 */
import type { LeaseId, Settlement } from "./lease.ts";
import type { Outcome } from "./outcome.ts";

/** {@link NUMBERS} for each: lease, moment the request was sent, and input tokens or {@link NOT_COUNTED}. */
export type ServedUses = readonly number[];

const NUMBERS = 3;
const NOT_COUNTED = -1;
const SERVED: Outcome = { kind: "served" };

/** Adds the end of one use. `promptTokens` is undefined when the answer did not count them. */
export function addServed(
  uses: number[],
  leaseId: LeaseId,
  startedAtMs: number,
  promptTokens: number | undefined,
): void {
  uses.push(leaseId, startedAtMs, promptTokens ?? NOT_COUNTED);
}

export function servedCount(uses: ServedUses): number {
  return uses.length / NUMBERS;
}

/** Each use as a settlement, in the order in which they were added. */
export function* servedSettlements(uses: ServedUses): Generator<Settlement> {
  for (let start = 0; start < uses.length; start += NUMBERS) {
    const leaseId = uses[start] ?? 0;
    const startedAtMs = uses[start + 1] ?? 0;
    const promptTokens = uses[start + 2] ?? NOT_COUNTED;
    if (promptTokens === NOT_COUNTED) yield { leaseId, outcome: SERVED, startedAtMs };
    else yield { leaseId, outcome: SERVED, startedAtMs, promptTokens };
  }
}
