import fc from "fast-check";
import { expect, it } from "vitest";
import { RecentMap } from "./recent-map.ts";

it("keeps at most so many, and of those used last at least half as many", () => {
  const name = fc.integer({ min: 0, max: 30 }).map(String);
  const step = fc.record({ kind: fc.constantFrom("set", "get", "delete"), name });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 2, max: 12 }), (steps, max) => {
      const recent = new RecentMap<number>(max);
      /** Least recently used first; undefined for what was deleted: it pushed others out before it went. */
      let used: [string, number | undefined][] = [];
      for (const [index, { kind, name: which }] of steps.entries()) {
        const known = used.find(([each]) => each === which);
        const isGone = known !== undefined && known[1] === undefined;
        if (!(kind === "get" && isGone)) used = used.filter(([each]) => each !== which);
        if (kind === "set") recent.set(which, index);
        if (kind === "delete") recent.delete(which);
        if (kind === "delete" && known !== undefined) used.push([which, undefined]);
        if (kind === "set") used.push([which, index]);
        const got = kind === "get" ? recent.get(which) : undefined;
        if (got !== undefined) used.push([which, got]);
        expect(got === undefined || got === known?.[1]).toBe(true);
        expect(recent.size).toBeLessThanOrEqual(max);
        const kept = new Map(recent.entries());
        for (const [each, value] of used.slice(-Math.floor(max / 2))) expect(kept.get(each)).toBe(value);
      }
    }),
  );
});
