import { expect, test } from "vitest";
import { finish, runInSteps, type Steps } from "./steps.ts";

function* count(to: number, onStep: (step: number) => void = () => undefined): Steps<number> {
  for (let step = 0; step < to; step += 1) {
    onStep(step);
    yield;
  }
  return to;
}

test("steps end with their result, at once or in turns", async () => {
  expect(finish(count(5))).toBe(5);
  await expect(runInSteps(count(5), { budgetMs: 0 })).resolves.toBe(5);
});

test("other events come in between when the budget is used up", async () => {
  let turns = 0;
  const ticking = setInterval(() => (turns += 1), 0);
  await runInSteps(
    count(Infinity, () => {
      if (turns >= 3) throw new Error("others had their turn");
    }),
    { budgetMs: 0 },
  ).catch(() => undefined);
  clearInterval(ticking);
  expect(turns).toBeGreaterThanOrEqual(3);
});

test("an abort ends the work between two steps", async () => {
  const ending = new AbortController();
  let steps = 0;
  const work = runInSteps(
    count(10, (step) => {
      steps += 1;
      if (step === 2) ending.abort();
    }),
    { budgetMs: 0, signal: ending.signal },
  );
  await expect(work).rejects.toMatchObject({ name: "AbortError" });
  expect(steps).toBe(3);
});
