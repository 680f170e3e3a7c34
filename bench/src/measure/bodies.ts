/** Measurement 6: large requests and large answers, many at once: throughput and the peak of memory. */
import { type Bench, Field, turnOf } from "../bench.ts";
import type { Contender } from "../contenders/contender.ts";
import { gatewayEntrants, peerEntrants } from "../entrants.ts";
import type { LoadJobs } from "../load/protocol.ts";
import { pinningOfOne } from "../pinning.ts";
import { meter } from "../processes/cpu-meter.ts";
import { readPeakBytes, resetPeak } from "../processes/proc-files.ts";
import { type Measurement, type Metric, Recorder } from "../result.ts";
import {
  benchKeys,
  largeModel,
  PADDED_QUESTION,
  QUESTION,
  UNARY_MODEL,
  UNARY_PATH,
  unaryPath,
} from "../workload.ts";

const KEYS = 10;
const MB = 1024 * 1024;
/** As shipped the gateway keeps 512 MB of request bodies for retries and refuses more; 32 of 20 MB are 640. */
const GATEWAY_FLAGS = ["--limits-body-memory", "2GB"];

const METRICS: readonly Metric[] = [
  { id: "throughput", title: "throughput", unit: "MB/s", better: "higher", digits: 0 },
  { id: "peak", title: "peak memory", unit: "MB", better: "lower", digits: 0 },
  { id: "cpu", title: "CPU per MB", unit: "ms", better: "lower", digits: 2 },
  { id: "failed", title: "failed", unit: "", better: "lower", digits: 0 },
];

export async function measureBodies(bench: Bench): Promise<Measurement> {
  const { plan, machine } = bench;
  const { bytes, inFlight, requests } = plan.bodies;
  const recorder = new Recorder();
  const pinning = pinningOfOne(machine.cores, machine.canPin);
  const keys = benchKeys(KEYS);
  const large = largeModel(bytes);
  await using field = await Field.open(bench, pinning, {
    upstream: { minimal: true, models: [UNARY_MODEL, large], projects: [{ name: "bench", keys }] },
    trialPath: UNARY_PATH,
    trialBody: QUESTION,
  });
  const kinds = [
    { caseName: "requests", path: UNARY_PATH, paddingBytes: bytes },
    { caseName: "answers", path: unaryPath(large), paddingBytes: 0 },
  ];
  const entrants = [
    ...gatewayEntrants(bench, { workers: 1, keys, flags: GATEWAY_FLAGS }),
    ...peerEntrants(bench, keys[0] ?? ""),
  ];
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const entrant of turnOf(entrants, round)) {
      bench.say(`  round ${round + 1} of ${plan.rounds}: ${entrant.name}`);
      for (const { caseName, path, paddingBytes } of kinds) {
        // A new process for each: its peak is of this work alone.
        await using contender = await field.start(entrant, pinning.contender);
        if (contender === undefined) continue;
        const target = contender.target(path, PADDED_QUESTION);
        const values = await exchange(field, contender, { target, paddingBytes, requests, inFlight });
        recorder.record(entrant.name, caseName, values);
      }
    }
  }
  return {
    id: "bodies",
    title: "Large bodies",
    method: `${requests} requests or answers of ${bytes / MB} MB, ${inFlight} in flight; peak of the resident memory of a new process.`,
    metrics: METRICS,
    rows: recorder.rows(),
    notes: [pinning.sentence, `The gateway runs with ${GATEWAY_FLAGS.join(" ")}.`],
  };
}

async function exchange(
  { load }: Field,
  contender: Contender,
  order: LoadJobs["exchangeBodies"]["order"],
): Promise<Record<string, number | undefined>> {
  if (contender.pid !== undefined) resetPeak(contender.pid);
  const { result, cpuUs } = await meter(contender, () => load.run("exchangeBodies", order));
  const megabytes = (result.bytesSent + result.bytesReceived) / MB;
  const peakBytes = contender.pid === undefined ? undefined : readPeakBytes(contender.pid);
  return {
    throughput: (megabytes * 1000) / result.durationMs,
    peak: peakBytes === undefined ? undefined : peakBytes / MB,
    cpu: cpuUs === undefined ? undefined : cpuUs / 1000 / megabytes,
    failed: result.failed,
  };
}
