import { assert, property, array, record, integer, option } from "fast-check";
import { expect, it } from "vitest";
import { addServed, servedCount, servedSettlements } from "./served-uses.ts";

const use = record({
  leaseId: integer({ min: 1 }),
  startedAtMs: integer({ min: 0 }),
  promptTokens: option(integer({ min: 0 }), { nil: undefined }),
});

it("gives back every use as it was added", () => {
  assert(
    property(array(use), (uses) => {
      const told: number[] = [];
      for (const { leaseId, startedAtMs, promptTokens } of uses)
        addServed(told, leaseId, startedAtMs, promptTokens);
      expect(servedCount(told)).toBe(uses.length);
      expect([...servedSettlements(told)]).toEqual(
        uses.map((each) => ({ ...each, outcome: { kind: "served" } })),
      );
    }),
  );
});
