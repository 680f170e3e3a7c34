import * as fc from "fast-check";
import { expect, test } from "vitest";
import { IdMap } from "./id-map.ts";

/** Close together, as rows of a table are, and far apart, as those of a stand-in for a lost database are. */
const ids = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1000, max: 1050 }), fc.nat(2 ** 31));
const steps = fc.array(fc.record({ id: ids, value: fc.option(fc.string()) }));

test("it holds what a map holds", () => {
  fc.assert(
    fc.property(steps, (given) => {
      const [idMap, map] = [new IdMap<string>(), new Map<number, string>()];
      for (const { id, value } of given) {
        const change = (of: IdMap<string> | Map<number, string>): unknown =>
          value === null ? of.delete(id) : void of.set(id, value);
        expect(change(idMap)).toBe(change(map));
        expect(idMap.get(id)).toBe(map.get(id));
        expect(idMap.has(id)).toBe(map.has(id));
        expect(idMap.size).toBe(map.size);
      }
      expect([...idMap.values()].toSorted()).toEqual([...map.values()].toSorted());
    }),
  );
});
