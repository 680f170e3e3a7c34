import { expect, test } from "vitest";
import { PORTKEY } from "../contenders/portkey.ts";
import { againstName, GATEWAY } from "../entrants.ts";
import { Recorder } from "../result.ts";
import { faultsIn } from "./faults.ts";

test("one failed request of a gateway in one round is a fault, a peer's are not", () => {
  const recorder = new Recorder();
  for (const failed of [0, 3, 0]) recorder.record(GATEWAY, "one thread", { failed, rate: 1 });
  recorder.record(againstName("abc1234"), "one thread", { failed: 0 });
  recorder.record(PORTKEY, "one thread", { failed: 500 });
  expect(faultsIn([measured(recorder)])).toEqual(["Unary, one thread, gateway: 3 requests failed."]);
});

test("an event too many is a fault as one too few is", () => {
  const recorder = new Recorder();
  recorder.record(GATEWAY, "100 streams", { lost: -2 });
  expect(faultsIn([measured(recorder)])).toHaveLength(1);
});

function measured(recorder: Recorder) {
  return {
    id: "unary",
    title: "Unary",
    method: "",
    metrics: [],
    rows: recorder.rows(),
    notes: [],
  } as const;
}
