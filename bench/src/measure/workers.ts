/**
 * What more workers give: the same gateway with 1, 2, 4, 8 of them, each with a core of its own as far as there are
 * cores. Part of the measurement of unary requests.
 *
 * On few cores load generator and upstream share those of the gateway. Then the throughput alone says little, and what
 * counts is the gateway's capacity: requests by the time of its cores that was its own, which is all but what other
 * processes used of them. Time in which a core did nothing is the gateway's, for it could have worked.
 */
import { type Bench, endAll, Field, turnOf } from "../bench.ts";
import type { Contender } from "../contenders/contender.ts";
import { gatewayEntrants } from "../entrants.ts";
import { type Division, divisionsOf } from "../pinning.ts";
import { meter, per } from "../processes/cpu-meter.ts";
import { pinProcess, readIdleUs } from "../processes/cores.ts";
import type { Metric, Recorder } from "../result.ts";
import { benchKeys, QUESTION, UNARY_MODEL, UNARY_PATH } from "../workload.ts";

/** Keys in the pool of every gateway. */
const KEYS = 10;
/** Metrics of these rows beside those of unary requests. */
export const WORKERS_METRICS: readonly Metric[] = [
  { id: "capacity", title: "requests/s, cores to itself", unit: "", better: "higher", digits: 0 },
  { id: "own", title: "cores to itself", unit: "%", better: "neither", digits: 0 },
];

/** For the report. */
export const WORKERS_METHOD =
  "A leaner generator than autocannon keeps more connections busy, see the notes. Requests/s with the cores to itself: served, by the time of the given cores that no other process used, idle time included.";

/** The case of a number of workers on a number of cores. */
export function workersCase(workers: number, cores: number | undefined): string {
  const named = `${workers} ${workers === 1 ? "worker" : "workers"}`;
  return cores === undefined ? named : `${named} on ${cores} ${cores === 1 ? "core" : "cores"}`;
}

/** Records a row for each number of workers; gives a sentence on how it was arranged. */
export async function measureWorkers(bench: Bench, recorder: Recorder): Promise<string> {
  const { plan, machine } = bench;
  const { divisions, sentence } = divisionsOf(plan.workers, machine.cores, machine.canPin);
  const keys = benchKeys(KEYS);
  await using field = await Field.open(
    bench,
    { contender: undefined, others: undefined, sentence },
    {
      upstream: { minimal: true, models: [UNARY_MODEL], projects: [{ name: "bench", keys }] },
      trialPath: UNARY_PATH,
      trialBody: QUESTION,
    },
  );
  const entries: { division: Division; contender: Contender }[] = [];
  for (const division of divisions) {
    const entrants = gatewayEntrants(bench, { workers: division.workers, keys });
    for (const contender of await field.startAll(entrants, division.contender)) {
      entries.push({ division, contender });
    }
  }
  const { workersConnections: connections, roundMs } = plan;
  for (const { division, contender } of entries) {
    // Each thread compiles the code for itself, from its own share of the requests.
    const durationMs = plan.warmUpMs * division.workers;
    await load(field, contender, { division, connections, durationMs });
  }
  for (let round = 0; round < plan.rounds; round += 1) {
    bench.say(`  ${plan.workers.join(", ")} workers, round ${round + 1} of ${plan.rounds}`);
    for (const { division, contender } of turnOf(entries, round)) {
      const caseName = workersCase(division.workers, division.contender?.length);
      const values = await load(field, contender, { division, connections, durationMs: roundMs });
      recorder.record(contender.name, caseName, values);
    }
  }
  await endAll(entries.map(({ contender }) => contender));
  return `${sentence} ${connections} connections.`;
}

/** Loads one gateway for a time, with generator and upstream where its division has them. */
async function load(
  field: Field,
  contender: Contender,
  { division, connections, durationMs }: { division: Division; connections: number; durationMs: number },
): Promise<Record<string, number | undefined>> {
  for (const pid of [field.load.pid, field.upstream.pid]) pinProcess(pid, division.others);
  const target = contender.target(UNARY_PATH, QUESTION);
  const order = { target, connections, durationMs };
  const idleBeforeUs = readIdleUs(division.contender);
  const { result, cpuUs, mainThreadUs } = await meter(contender, () => field.load.run("keepBusy", order));
  const idleAfterUs = readIdleUs(division.contender);
  const rate = (result.served * 1000) / result.durationMs;
  return {
    rate,
    cpu: per(cpuUs, result.served),
    primary: per(mainThreadUs, result.served),
    failed: result.failed,
    ...capacityOf({
      served: result.served,
      durationMs: result.durationMs,
      cpuUs,
      idleUs:
        idleBeforeUs === undefined || idleAfterUs === undefined ? undefined : idleAfterUs - idleBeforeUs,
      cores: division.contender?.length,
    }),
  };
}

interface Served {
  readonly served: number;
  readonly durationMs: number;
  /** Of the gateway. */
  readonly cpuUs: number | undefined;
  /** Of the cores it was given. */
  readonly idleUs: number | undefined;
  readonly cores: number | undefined;
}

/** Requests a second with the cores to itself, and the share of them it had; empty where that is not known. Pure. */
export function capacityOf({ served, durationMs, cpuUs, idleUs, cores }: Served): Record<string, number> {
  if (cpuUs === undefined || idleUs === undefined || cores === undefined) return {};
  const ownUs = cpuUs + Math.max(0, idleUs);
  if (ownUs === 0) return {};
  return { capacity: (served * 1e6 * cores) / ownUs, own: (ownUs * 100) / (durationMs * 1000 * cores) };
}
