import { describe, expect, it } from "vitest";
import { NGINX } from "../contenders/nginx.ts";
import { GATEWAY } from "../entrants.ts";
import { UNARY_CASE } from "../measure/latency.ts";
import { ONE_WORKER } from "../measure/unary.ts";
import { type Measurement, type MeasurementId, Recorder } from "../result.ts";
import { verdictsOn } from "./targets.ts";

const OVER_NGINX = "CPU time per request, over nginx";

describe("a target", () => {
  it("is met within its limit, by the ratios of the rounds", () => {
    const verdict = unaryVerdict({ [GATEWAY]: [40, 400], [NGINX]: [20, 200] });
    expect(verdict).toMatchObject({ outcome: "met", target: "at most 3×, aim 2×", missedBy: undefined });
    expect(verdict?.figure).toMatchObject({ median: 2, min: 2, max: 2 });
  });

  it("is missed by a share of its limit", () => {
    const verdict = unaryVerdict({ [GATEWAY]: [90], [NGINX]: [20] });
    expect(verdict).toMatchObject({ outcome: "missed", missedBy: 0.5 });
  });

  it("is not measured without the peer", () => {
    expect(unaryVerdict({ [GATEWAY]: [90] })).toMatchObject({ outcome: "not measured", figure: undefined });
  });

  it("of added latency is the ratio of the medians: what a peer adds in one round may be nothing", () => {
    const recorder = new Recorder();
    for (const addedP99 of [2, 3, 40]) recorder.record(GATEWAY, UNARY_CASE, { addedP99 });
    for (const addedP99 of [-1, 2, 2]) recorder.record(NGINX, UNARY_CASE, { addedP99 });
    expect(verdictsOn([measurement("latency", recorder)])[0]?.figure).toMatchObject({ median: 1.5 });
  });

  it("of events allows none to be lost", () => {
    const recorder = new Recorder();
    recorder.record(GATEWAY, "500 streams", { lost: 1 });
    const lost = verdictsOn([measurement("streams", recorder)]).find(({ title }) =>
      title.startsWith("events lost"),
    );
    expect(lost).toMatchObject({ outcome: "missed", missedBy: 1 });
  });
});

function unaryVerdict(cpu: Readonly<Record<string, readonly number[]>>) {
  const recorder = new Recorder();
  for (const [contender, rounds] of Object.entries(cpu)) {
    for (const value of rounds) recorder.record(contender, ONE_WORKER, { cpu: value });
  }
  return verdictsOn([measurement("unary", recorder)]).find(({ title }) => title === OVER_NGINX);
}

function measurement(id: MeasurementId, recorder: Recorder): Measurement {
  return { id, title: id, method: "", metrics: [], rows: recorder.rows(), notes: [] };
}
