import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type FoundEntry, packEntries } from "./packed-entries.ts";
import { finish } from "./steps.ts";

const NOTHING_KNOWN = { textOf: () => undefined };

test("packing loses no key, no label and no order", () => {
  const entry = fc.record({
    secret: fc.string({ minLength: 1 }),
    project: fc.option(fc.constantFrom("a", "b"), { nil: undefined }),
  });
  const entries = fc.array(
    entry.map(({ secret, project }) => (project === undefined ? { secret } : { secret, project })),
  );
  fc.assert(
    fc.property(entries, (given: FoundEntry[]) => {
      const packed = finish(packEntries(given, NOTHING_KNOWN));
      expect([...packed]).toEqual(given);
      expect([...packed], "it can be read again").toEqual(given);
    }),
  );
});

test("a large file is packed in steps of a bounded size", () => {
  const entries = Array.from({ length: 10_000 }, (_, index) => ({ secret: `test-key-${index}` }));
  expect([...packEntries(entries, NOTHING_KNOWN)].length).toBeGreaterThanOrEqual(10_000 / 500 - 1);
});
