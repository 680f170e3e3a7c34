import { expect, test } from "vitest";
import { idleMicrosecondsOf } from "./cores.ts";

const STAT = `cpu  30 0 30 500 40 0 0 0 0 0
cpu0 10 0 10 200 30 0 0 0 0 0
cpu1 20 0 20 300 10 0 0 7 0 0
cpu10 1 0 1 9000 1 0 0 0 0 0
intr 1
`;

test("idle time is that of the cores asked for, waiting for the disk included", () => {
  expect(idleMicrosecondsOf(STAT, [0])).toBe(2_300_000);
  expect(idleMicrosecondsOf(STAT, [0, 1])).toBe(5_400_000);
});

test("a core that is not there is not taken for one that was busy all the time", () => {
  expect(idleMicrosecondsOf(STAT, [0, 2])).toBeUndefined();
});
