import fc from "fast-check";
import { expect, test } from "vitest";
import { RetryBudget, mayRetry } from "./retry-budget.ts";

test("a budget allows its burst at once and then only its ratio", () => {
  const budget = new RetryBudget({ ratio: 0.25, burst: 3 });
  expect([1, 2, 3, 4].map(() => budget.tryWithdraw())).toEqual([true, true, true, false]);
  for (let request = 0; request < 3; request++) budget.deposit();
  expect(budget.tryWithdraw()).toBe(false);
  budget.deposit();
  expect(budget.tryWithdraw()).toBe(true);
});

test("whatever happens, retries stay within burst plus ratio times requests", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 400 }), (steps) => {
      const budget = new RetryBudget({ ratio: 0.5, burst: 10 });
      let [requests, retries] = [0, 0];
      for (const isRequest of steps) {
        if (isRequest) {
          budget.deposit();
          requests++;
        } else if (budget.tryWithdraw()) retries++;
        expect(retries).toBeLessThanOrEqual(10 + 0.5 * requests);
        expect(budget.available).toBeLessThanOrEqual(10);
      }
    }),
  );
});

test("a request retries while both its attempts and its time last", () => {
  const limits = { attemptsMax: 5, startedAtMs: 1_000, timeMs: 10_000 };
  expect(mayRetry({ ...limits, attempt: 1, nowMs: 1_000 })).toBe(true);
  expect(mayRetry({ ...limits, attempt: 4, nowMs: 10_999 })).toBe(true);
  expect(mayRetry({ ...limits, attempt: 5, nowMs: 1_000 })).toBe(false);
  expect(mayRetry({ ...limits, attempt: 1, nowMs: 11_000 })).toBe(false);
  expect(mayRetry({ ...limits, attempt: 1, nowMs: 0 })).toBe(true);
});
