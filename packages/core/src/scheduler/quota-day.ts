/**
 * What happens when the end of the quota's day turns out to be another: somebody set the wall clock right. Part of the
 * scheduler, primary thread. Walks over every lane, so in slices: see {@link Scheduler.tick}.
 */
import type { Ledger } from "./ledger.ts";
import { repace } from "./pacing.ts";
import type { Lane } from "./records.ts";

/** Ends of the day nearer to each other than this are the same: clocks drift. */
const SAME_DAY_END_MS = 60_000;

/** Asks for the end of the day again; a walk over the lanes that wait for it, undefined when it is as it was. */
export function quotaDayMove(ledger: Ledger, nowMs: number): Generator<void, void, void> | undefined {
  const before = ledger.dayAt(nowMs).endsAtMs;
  const after = ledger.askDayEnd(nowMs).endsAtMs;
  return Math.abs(after - before) < SAME_DAY_END_MS ? undefined : moveLanes(ledger, before, after, nowMs);
}

function* moveLanes(
  ledger: Ledger,
  before: number,
  after: number,
  nowMs: number,
): Generator<void, void, void> {
  for (const model of ledger.shelf.models.values()) {
    for (const lane of model.lanes.values()) {
      moveLane(ledger, lane, before, after, nowMs);
      yield;
    }
  }
}

function moveLane(ledger: Ledger, lane: Lane, before: number, after: number, nowMs: number): void {
  const { state } = lane;
  if (state.kind !== "quota-day") return lane.pacedUntilMs > 0 ? repace(ledger, lane, nowMs) : undefined;
  // A day that ends at another moment was not this one.
  if (Math.abs(state.untilMs - before) >= SAME_DAY_END_MS) return;
  const trialAtMs = state.trialAtMs >= state.untilMs ? after : state.trialAtMs;
  ledger.setLaneState(lane, { ...state, untilMs: after, trialAtMs });
}
