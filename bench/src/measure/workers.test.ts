import { expect, test } from "vitest";
import { capacityOf } from "./workers.ts";

const SECOND = { durationMs: 1_000, idleUs: 0 };

test("what other processes used of the cores is not charged to the gateway", () => {
  const alone = capacityOf({ ...SECOND, served: 10_000, cpuUs: 1_000_000, cores: 1 });
  const beside = capacityOf({ ...SECOND, served: 6_000, cpuUs: 600_000, cores: 1 });
  expect(alone).toEqual({ capacity: 10_000, own: 100 });
  expect(beside).toEqual({ capacity: 10_000, own: 60 });
});

test("a core left idle is", () => {
  expect(
    capacityOf({ served: 10_000, durationMs: 1_000, cpuUs: 1_000_000, idleUs: 1_000_000, cores: 2 }),
  ).toEqual({
    capacity: 10_000,
    own: 100,
  });
});

test("without figures of the cores nothing is said", () => {
  expect(capacityOf({ ...SECOND, served: 1, cpuUs: 1, cores: undefined })).toEqual({});
});
