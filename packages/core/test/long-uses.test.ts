/** Uses that last: what a Live session shows at its beginning counts then, and it stays in flight to its end. */
import { expect, test } from "vitest";
import {
  HOUR_MS,
  INVALID,
  leaseOne,
  NOW,
  OVERLOADED,
  schedulerOf,
  serve,
  settle,
  SERVED,
  tryLease,
} from "./scheduler-driver.ts";

const DAY_MS = 24 * HOUR_MS;

test("a trial that has shown that the key works is over, though its use goes on", () => {
  const scheduler = schedulerOf([undefined]);
  serve(scheduler, NOW, INVALID);
  const dueAt = NOW + DAY_MS;
  const session = leaseOne(scheduler, dueAt);
  expect(tryLease(scheduler, dueAt)).toEqual([]);
  scheduler.prove(session.id, dueAt + 100);
  scheduler.checkInvariants();
  expect(scheduler.keyView(1, dueAt + 100)?.health.kind).toBe("good");
  serve(scheduler, dueAt + 200);
  expect(scheduler.summary(dueAt + 200).inFlight).toBe(1);
  settle(scheduler, session, SERVED, dueAt + HOUR_MS);
  expect(scheduler.summary(dueAt + HOUR_MS)).toMatchObject({ inFlight: 0, uses: { lost: 0 } });
});

test("a use that was proved can still fail, and one that is unknown proves nothing", () => {
  const scheduler = schedulerOf([undefined, undefined]);
  serve(scheduler, NOW);
  serve(scheduler, NOW);
  const session = leaseOne(scheduler, NOW + 1);
  scheduler.prove(session.id, NOW + 2);
  scheduler.prove(session.id + 1_000, NOW + 2);
  settle(scheduler, session, OVERLOADED, NOW + HOUR_MS);
  const lanes = scheduler.keyView(session.keyId, NOW + HOUR_MS)?.lanes;
  expect(lanes?.map(({ state }) => state.kind)).toEqual(["overloaded"]);
});

test("a use stays in flight for hours, and is given up as lost after a day", () => {
  const scheduler = schedulerOf([undefined], { projectConcurrencyMax: 1 });
  leaseOne(scheduler, NOW);
  scheduler.tick(NOW + 23 * HOUR_MS);
  expect(tryLease(scheduler, NOW + 23 * HOUR_MS)).toEqual([]);
  scheduler.tick(NOW + 25 * HOUR_MS);
  expect(scheduler.summary(NOW + 25 * HOUR_MS)).toMatchObject({ inFlight: 0, uses: { lost: 1 } });
  serve(scheduler, NOW + 25 * HOUR_MS);
});
