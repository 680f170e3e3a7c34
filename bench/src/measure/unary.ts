/** Measurement 1: requests per second and CPU time per request, beside the peers and for 1, 2, 4, 8 workers. */
import { type Bench, endAll, Field, turnOf } from "../bench.ts";
import type { Contender } from "../contenders/contender.ts";
import { GATEWAY, gatewayEntrants, peerEntrants } from "../entrants.ts";
import { pinningOfOne } from "../pinning.ts";
import { meter, per } from "../processes/cpu-meter.ts";
import { type Measurement, type Metric, Recorder } from "../result.ts";
import { benchKeys, QUESTION, UNARY_MODEL, UNARY_PATH } from "../workload.ts";
import { measureWorkers, WORKERS_METHOD, WORKERS_METRICS } from "./workers.ts";

/** Keys in the pool of every gateway. */
const KEYS = 10;
export const ONE_WORKER = "one thread";

const METRICS: readonly Metric[] = [
  { id: "rate", title: "requests/s", unit: "", better: "higher", digits: 0 },
  { id: "cpu", title: "CPU per request", unit: "µs", better: "lower", digits: 1 },
  { id: "primary", title: "of it, first thread", unit: "µs", better: "lower", digits: 1 },
  { id: "busy", title: "core used", unit: "%", better: "neither", digits: 0 },
  ...WORKERS_METRICS,
  { id: "failed", title: "failed", unit: "", better: "lower", digits: 0 },
];

export async function measureUnary(bench: Bench): Promise<Measurement> {
  const recorder = new Recorder();
  const beside = await besidePeers(bench, recorder);
  const workers = await measureWorkers(bench, recorder);
  return {
    id: "unary",
    title: "Unary requests",
    method: `autocannon with ${bench.plan.connections} connections against a short answer; CPU time from /proc, of the whole process. Core used: below a hundred it was not the contender that limited the rate.`,
    metrics: METRICS,
    rows: recorder.rows(),
    notes: [beside, `${bench.plan.workers.join(", ")} workers: ${workers} ${WORKERS_METHOD}`],
  };
}

async function besidePeers(bench: Bench, recorder: Recorder): Promise<string> {
  const { plan, machine } = bench;
  const pinning = pinningOfOne(machine.cores, machine.canPin);
  const keys = benchKeys(KEYS);
  await using field = await Field.open(bench, pinning, fieldOptions(keys));
  const entrants = [...gatewayEntrants(bench, { workers: 1, keys }), ...peerEntrants(bench, keys[0] ?? "")];
  const contenders = await field.startAll(entrants, pinning.contender);
  for (const contender of contenders) await saturate(field, contender, plan.connections, plan.warmUpMs);
  for (let round = 0; round < plan.rounds; round += 1) {
    bench.say(`  beside the peers, round ${round + 1} of ${plan.rounds}`);
    for (const contender of turnOf(contenders, round)) {
      const values = await saturate(field, contender, plan.connections, plan.roundMs);
      recorder.record(contender.name, ONE_WORKER, values);
    }
  }
  await endAll(contenders);
  return `${ONE_WORKER}: ${pinning.sentence}`;
}

/** Loads one contender for a time and gives its values. */
async function saturate(
  { load }: Field,
  contender: Contender,
  connections: number,
  durationMs: number,
): Promise<Record<string, number | undefined>> {
  const target = contender.target(UNARY_PATH, QUESTION);
  const { result, cpuUs, mainThreadUs } = await meter(contender, () =>
    load.run("saturate", { target, connections, durationMs }),
  );
  return {
    rate: (result.served * 1000) / result.durationMs,
    cpu: per(cpuUs, result.served),
    // Of the gateway that is the primary; the others do all their work in it.
    primary: contender.name.startsWith(GATEWAY) ? per(mainThreadUs, result.served) : undefined,
    busy: cpuUs === undefined ? undefined : cpuUs / 10 / result.durationMs,
    failed: result.failed,
  };
}

function fieldOptions(keys: readonly string[]) {
  return {
    upstream: { minimal: true, models: [UNARY_MODEL], projects: [{ name: "bench", keys }] },
    trialPath: UNARY_PATH,
    trialBody: QUESTION,
  };
}
