/** Measurement 1: requests per second and CPU time per request, beside the peers and for 1, 2, 4, 8 workers. */
import { type Bench, endAll, Field, turnOf } from "../bench.ts";
import type { Contender } from "../contenders/contender.ts";
import { GATEWAY, gatewayEntrants, peerEntrants } from "../entrants.ts";
import { pinningOfOne, pinningOfSeveral } from "../pinning.ts";
import { meter, per } from "../processes/cpu-meter.ts";
import { type Measurement, type Metric, Recorder } from "../result.ts";
import { benchKeys, QUESTION, UNARY_MODEL, UNARY_PATH } from "../workload.ts";

/** Keys in the pool of every gateway. */
const KEYS = 10;
export const ONE_WORKER = "one thread";

const METRICS: readonly Metric[] = [
  { id: "rate", title: "requests/s", unit: "", better: "higher", digits: 0 },
  { id: "cpu", title: "CPU per request", unit: "µs", better: "lower", digits: 1 },
  { id: "primary", title: "of it, first thread", unit: "µs", better: "lower", digits: 1 },
  { id: "failed", title: "failed", unit: "", better: "lower", digits: 0 },
];

/** The case of a number of workers. */
export function workersCase(workers: number): string {
  return `${workers} ${workers === 1 ? "worker" : "workers"}`;
}

export async function measureUnary(bench: Bench): Promise<Measurement> {
  const recorder = new Recorder();
  const beside = await besidePeers(bench, recorder);
  const scaling = await overWorkers(bench, recorder);
  return {
    id: "unary",
    title: "Unary requests",
    method: `autocannon with ${bench.plan.connections} connections against a short answer; CPU time from /proc, of the whole process.`,
    metrics: METRICS,
    rows: recorder.rows(),
    notes: [beside, scaling],
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

async function overWorkers(bench: Bench, recorder: Recorder): Promise<string> {
  const { plan, machine } = bench;
  const pinningOf = (workers: number) => pinningOfSeveral(workers, machine.cores, machine.canPin);
  const widest = pinningOf(Math.max(...plan.workers));
  const keys = benchKeys(KEYS);
  await using field = await Field.open(bench, widest, fieldOptions(keys));
  const contenders: { caseName: string; contender: Contender }[] = [];
  for (const workers of plan.workers) {
    const entrants = gatewayEntrants(bench, { workers, keys });
    for (const contender of await field.startAll(entrants, pinningOf(workers).contender)) {
      contenders.push({ caseName: workersCase(workers), contender });
    }
  }
  for (const { contender } of contenders) await saturate(field, contender, plan.connections, plan.warmUpMs);
  for (let round = 0; round < plan.rounds; round += 1) {
    bench.say(`  ${plan.workers.join(", ")} workers, round ${round + 1} of ${plan.rounds}`);
    for (const { caseName, contender } of turnOf(contenders, round)) {
      recorder.record(
        contender.name,
        caseName,
        await saturate(field, contender, plan.connections, plan.roundMs),
      );
    }
  }
  await endAll(contenders.map(({ contender }) => contender));
  return `${plan.workers.join(", ")} workers: ${widest.sentence}`;
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
