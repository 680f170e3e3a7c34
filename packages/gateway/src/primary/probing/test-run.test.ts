import { DEFAULT_PROBE_INTERVALS } from "@gemini-gateway/core/probing/intervals";
import { TestPlan } from "@gemini-gateway/core/probing/test-plan";
import { TestRate } from "@gemini-gateway/core/probing/test-rate";
import { DEFAULT_SCHEDULER_OPTIONS } from "@gemini-gateway/core/scheduler/options";
import { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import { expect, it } from "vitest";
import { TestRun } from "./test-run.ts";

const NOW = 1_700_000_000_000;
const KEYS = 33_334;
const MODELS = ["a", "b", "c"];
const TURN_MS_MAX = 20;

/** CPU time of this thread in each turn of the event loop, milliseconds, until stopped. */
function turnCosts(): () => readonly number[] {
  const costs: number[] = [];
  let before = process.threadCpuUsage();
  let isOver = false;
  const turn = (): void => {
    const { user, system } = process.threadCpuUsage(before);
    costs.push((user + system) / 1_000);
    before = process.threadCpuUsage();
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    isOver = true;
    const { user, system } = process.threadCpuUsage(before);
    return [...costs, (user + system) / 1_000];
  };
}

it("walks over 100,000 pairs that need no test in turns of less than 20 ms", async () => {
  const scheduler = new Scheduler(DEFAULT_SCHEDULER_OPTIONS, () => 0.5);
  const plan = new TestPlan({ models: MODELS, intervals: DEFAULT_PROBE_INTERVALS }, () => 0.5);
  const ids = Array.from({ length: KEYS }, (_, index) => index + 1);
  scheduler.addKeys(ids.map((id) => ({ id, project: undefined })));
  plan.addKeys(ids, NOW);
  for (const keyId of ids) for (const model of MODELS) plan.served({ keyId, model }, NOW);
  const untouched = (): never => {
    throw new Error("nothing is to be asked");
  };
  const run = new TestRun(
    {
      scheduler,
      plan,
      orders: { open: untouched, run: untouched },
      rate: new TestRate(300, NOW),
      batch: 32,
      now: () => NOW,
    },
    {
      keys: ids.map((id) => ({ id, fingerprint: `k-${id}`, secret: "test-key-1" })),
      models: MODELS,
      isWhole: false,
      concurrency: 8,
      policy: "auto",
      disabled: 0,
      unknown: [],
    },
    new AbortController().signal,
  );
  const costs = turnCosts();
  let last: unknown;
  let lines = 0;
  for await (const line of run.lines()) [last, lines] = [line, lines + 1];
  expect(last).toMatchObject({ type: "ended", tested: 0, serving: KEYS });
  expect(lines).toBe(KEYS * MODELS.length + 2);
  const all = costs();
  // One turn may meet the garbage collector of everything before it.
  const slow = all.filter((cost) => cost > TURN_MS_MAX);
  expect(slow.length, `turns of ${slow.join(", ")} ms among ${all.length}`).toBeLessThanOrEqual(1);
  expect(all.length).toBeGreaterThan(3);
});
