import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ENTRIES } from "./entries.ts";
import { nearestName } from "./nearest.ts";

const FLAGS = ENTRIES.map(({ flag }) => flag);

test.each([
  ["prot", "port"],
  ["hots", "host"],
  ["keysDir", "keys-dir"],
  ["keys_dir", "keys-dir"],
  ["max-wait", "lease-max-wait"],
  ["worker", "workers"],
  ["retry-atempts", "retry-attempts"],
  ["loglevel", "log-level"],
  ["authkeys", "auth-key"],
  ["body-memory", "limits-body-memory"],
])("%s was meant to be %s", (name, meant) => {
  expect(nearestName(name, FLAGS)).toBe(meant);
});

test.each(["", "x", "verbose-output-format", "---", "p".repeat(10_000)])("nothing is near %j", (name) => {
  expect(nearestName(name, FLAGS)).toBeUndefined();
});

test("every name with one letter lost still finds a name", () => {
  const flag = fc.constantFrom(...FLAGS.filter((name) => name.length >= 4));
  fc.assert(
    fc.property(flag, fc.nat(), (name, seed) => {
      const position = seed % name.length;
      expect(nearestName(name.slice(0, position) + name.slice(position + 1), FLAGS)).toBeDefined();
    }),
  );
});
