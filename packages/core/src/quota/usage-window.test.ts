import * as fc from "fast-check";
import { expect, test } from "vitest";
import { UsageWindow, WINDOW_MS } from "./usage-window.ts";

const NOW = 1_700_000_000_000;
/** Charges of one span count until the last of them is out. */
const SPAN_MS = 250;

const charges = fc.array(
  fc.record({
    afterMs: fc.nat({ max: 5_000 }),
    requests: fc.integer({ min: 1, max: 3 }),
    tokens: fc.nat({ max: 9_000 }),
  }),
  { maxLength: 80 },
);

test("never says that less was used in the last sixty seconds than was", () => {
  fc.assert(
    fc.property(charges, fc.nat({ max: 90_000 }), (list, laterMs) => {
      const window = new UsageWindow();
      let nowMs = NOW;
      const charged = list.map(({ afterMs, requests, tokens }) => {
        nowMs += afterMs;
        window.charge(nowMs, requests, tokens);
        return { atMs: nowMs, requests, tokens };
      });
      nowMs += laterMs;
      window.forget(nowMs);
      const sum = (sinceMs: number) => {
        const recent = charged.filter(({ atMs }) => atMs > sinceMs);
        const of = (name: "requests" | "tokens") => recent.reduce((total, each) => total + each[name], 0);
        return { requests: of("requests"), tokens: of("tokens") };
      };
      const least = sum(nowMs - 60_000);
      const most = sum(nowMs - WINDOW_MS - SPAN_MS);
      expect(window.used.requests).toBeGreaterThanOrEqual(least.requests);
      expect(window.used.tokens).toBeGreaterThanOrEqual(least.tokens);
      expect(window.used.requests).toBeLessThanOrEqual(most.requests);
      expect(window.used.tokens).toBeLessThanOrEqual(most.tokens);
    }),
  );
});

test("at the moment it names there is the room it was asked for, and not before", () => {
  fc.assert(
    fc.property(charges, fc.nat({ max: 100 }), fc.nat({ max: 100_000 }), (list, requestsMax, tokensMax) => {
      const window = new UsageWindow();
      let nowMs = NOW;
      for (const { afterMs, requests, tokens } of list) window.charge((nowMs += afterMs), requests, tokens);
      window.forget(nowMs);
      const atMs = window.emptiesToMs(requestsMax, tokensMax);
      const fits = () => window.used.requests <= requestsMax && window.used.tokens <= tokensMax;
      expect(fits()).toBe(atMs === 0);
      if (atMs === 0) return;
      window.forget(atMs - 1);
      expect(fits()).toBe(false);
      window.forget(atMs);
      expect(fits()).toBe(true);
    }),
  );
});

test("what is given back counts no more, in whatever order; what is out of the window cannot be", () => {
  const window = new UsageWindow();
  window.charge(NOW + 5_000, 2, 800);
  window.charge(NOW, 1, 100);
  expect(window.refund(NOW + 5_000, 1, 400)).toEqual({ requests: 1, tokens: 400 });
  expect(window.used).toEqual({ requests: 2, tokens: 500 });
  window.forget(NOW + WINDOW_MS + SPAN_MS);
  expect(window.used).toEqual({ requests: 1, tokens: 400 });
  expect(window.refund(NOW, 1, 100)).toEqual({ requests: 0, tokens: 0 });
});

test("to move a use is to give it back and to charge it again", () => {
  const moves = fc.array(
    fc.record({ use: fc.nat(), earlierMs: fc.nat({ max: 5_000 }), tokens: fc.nat({ max: 9_000 }) }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(charges, moves, fc.nat({ max: 70_000 }), (list, ends, laterMs) => {
      const [moved, charged] = [new UsageWindow(), new UsageWindow()];
      let nowMs = NOW;
      const uses = list.map(({ afterMs, tokens }) => {
        nowMs += afterMs;
        for (const window of [moved, charged]) window.charge(nowMs, 1, tokens);
        return { atMs: nowMs, tokens };
      });
      for (const { use, earlierMs, tokens } of ends) {
        const [ended] = uses.splice(use % Math.max(uses.length, 1), 1);
        if (ended === undefined) break;
        moved.move(ended.atMs, ended.tokens, ended.atMs - earlierMs, tokens);
        if (charged.refund(ended.atMs, 1, ended.tokens).requests > 0)
          charged.charge(ended.atMs - earlierMs, 1, tokens);
      }
      for (const window of [moved, charged]) window.forget(nowMs + laterMs);
      expect(moved.used).toEqual(charged.used);
      expect(moved.spans).toBe(charged.spans);
      expect(moved.emptiesToMs(0, 0)).toBe(charged.emptiesToMs(0, 0));
    }),
  );
});
