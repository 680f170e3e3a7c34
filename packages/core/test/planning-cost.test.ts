/** Planning tests of 100,000 pairs never holds up the primary: its turns are measured, not the clock of a busy machine. */
import { expect, test } from "vitest";
import { DEFAULT_PROBE_INTERVALS } from "../src/probing/intervals.ts";
import { TestPlan } from "../src/probing/test-plan.ts";
import type { Pair } from "../src/probing/test-plan.ts";

const NOW = 1_700_000_000_000;
const KEYS = 25_000;
const MODELS = ["a", "b", "c", "d"];
const TURN_MS_MAX = 20;
const STEPS_A_TURN = 25_000;
const BATCH = 32;

/** CPU time of this thread for one turn, milliseconds: what others do on the machine does not count. */
function costMs(turn: () => void): number {
  const before = process.threadCpuUsage();
  turn();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

test("100,000 pairs are planned, tested and kept in turns of less than 20 ms", () => {
  const plan = new TestPlan({ models: MODELS, intervals: DEFAULT_PROBE_INTERVALS }, Math.random);
  const costs: number[] = [];
  const turn = (run: () => void): void => void costs.push(costMs(run));
  for (let from = 1; from <= KEYS; from += 1_000) {
    turn(() =>
      plan.addKeys(
        Array.from({ length: 1_000 }, (_, index) => from + index),
        NOW,
      ),
    );
  }
  expect(plan.pairs).toBe(KEYS * (MODELS.length + 1));
  const nowMs = NOW + 60_000;
  const tested = new Set<string>();
  let taken: Pair[] = [];
  // A turn walks over one column of five here: after a whole round without a pair none is due.
  for (
    let idleTurns = 0;
    idleTurns <= MODELS.length + 1;
    idleTurns = taken.length === 0 ? idleTurns + 1 : 0
  ) {
    turn(() => (taken = plan.takeDue(nowMs, BATCH, STEPS_A_TURN)));
    for (const pair of taken) tested.add(`${pair.keyId} ${pair.model}`);
    turn(() => taken.forEach((pair) => plan.tested(pair, { kind: "served" }, nowMs)));
  }
  expect(tested.size, "every pair was tested").toBe(KEYS * MODELS.length);
  turn(() => plan.served({ keyId: 1, model: "learnt" }, nowMs));
  let kept = 0;
  for (;;) {
    let rows = 0;
    turn(() => (rows = plan.takeDirty(500).length));
    if (rows === 0) break;
    kept += rows;
  }
  expect(kept).toBe(KEYS * MODELS.length);
  // One turn in thousands may meet the garbage collector of everything before it.
  const slow = costs.filter((cost) => cost > TURN_MS_MAX);
  expect(slow.length, `turns of ${slow.join(", ")} ms among ${costs.length}`).toBeLessThanOrEqual(1);
});
