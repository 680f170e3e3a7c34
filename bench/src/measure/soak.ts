/**
 * Measurement 7, only when asked for: whether memory grows over a million requests, and over streams that are opened and
 * ended all the time, with clients that leave, an upstream that breaks, and failures that another key cures. Gateway only.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, Field } from "../bench.ts";
import { GATEWAY_PROGRAM, type RunningGateway, startGateway } from "../contenders/gateway.ts";
import { GATEWAY } from "../entrants.ts";
import { type Pinning, pinningOfOne } from "../pinning.ts";
import { askHeapBytes, heapProbeSetup } from "../processes/probe-files.ts";
import { readResidentBytes } from "../processes/proc-files.ts";
import { type Measurement, type Metric, Recorder } from "../result.ts";
import { type Growth, growthOf } from "../statistics.ts";
import { benchKeys, QUESTION, streamModel, streamPath, UNARY_MODEL, UNARY_PATH } from "../workload.ts";

export const SOAK_UNARY_CASE = "unary requests";
export const SOAK_STREAM_CASE = "stream churn";

const MB = 1024 * 1024;
const WORKERS = 2;
/** Each a project of its own, so that a failure can always be cured by another. */
const KEYS = 200;
/** Samples of a phase: the first third of them is the warm-up. */
const SAMPLES = 36;
/** Load between two samples is at least this long: a few times as long as a stream. */
const SLICE_MS_MIN = 3_000;
/** Memory is looked at when the load has ended for so long. */
const SETTLE_MS = 500;
const LEAVE_EVERY = 10;
/** A second long. */
const STREAM = streamModel("bench-churn", 20, 50);
/** As shipped the gateway takes fewer connections at once than the churn may leave behind. */
const GATEWAY_FLAGS = ["--limits-requests", "100000", "--limits-connections", "100000"];

/** Of a hundred streams five are cured by another key, two break in the middle, one ends with an error. */
const FAULTS = [
  { probability: 0.05, seed: 1, fault: { kind: "error", error: "overloaded" } },
  { probability: 0.02, seed: 2, fault: { kind: "reset", afterEvents: 5 } },
  { probability: 0.01, seed: 3, fault: { kind: "late-error-event", afterEvents: 3 } },
] as const;

const METRICS: readonly Metric[] = [
  { id: "count", title: "requests", unit: "", better: "neither", digits: 0 },
  { id: "minutes", title: "time", unit: "min", better: "neither", digits: 1 },
  { id: "heapFirst", title: "heap, after a third", unit: "MB", better: "neither", digits: 1 },
  { id: "heapLast", title: "heap, at the end", unit: "MB", better: "neither", digits: 1 },
  { id: "heapGrowth", title: "growth", unit: "%", better: "lower", digits: 1 },
  { id: "residentFirst", title: "resident, after a third", unit: "MB", better: "neither", digits: 0 },
  { id: "residentLast", title: "resident, at the end", unit: "MB", better: "neither", digits: 0 },
  { id: "residentGrowth", title: "growth", unit: "%", better: "lower", digits: 1 },
  { id: "notServed", title: "not served", unit: "", better: "lower", digits: 0 },
];

export async function measureSoak(bench: Bench): Promise<Measurement> {
  const { plan, machine } = bench;
  const recorder = new Recorder();
  const pinning = pinningOfOne(machine.cores, machine.canPin);
  const endMs = performance.now() + plan.soak.minutes * 60_000;
  for (const phase of [unaryPhase(bench, endMs), churnPhase(bench, endMs)]) {
    recorder.record(GATEWAY, phase.caseName, await soak(bench, pinning, phase));
  }
  return {
    id: "soak",
    title: "Soak",
    method: `Each phase on a new process with ${WORKERS} workers and ${KEYS} keys. After every slice of load, ${SAMPLES} or more of them, all threads collect their garbage, then what is left on their heaps and the resident memory are read; the first third is the warm-up, and growth is that of the straight line through the rest, from its beginning to its end. Stream churn: ${plan.soak.streams} streams of a second at once; one in ${LEAVE_EVERY} is left by its client after the first event, of the others 5 % fail before it, 2 % break and 1 % end with an error upstream.`,
    metrics: METRICS,
    rows: recorder.rows(),
    notes: [pinning.sentence, `Length of the whole soak (--soak-minutes): ${plan.soak.minutes} min.`],
  };
}

/** What is done, slice by slice, until it is enough. */
interface Phase {
  readonly caseName: string;
  readonly upstream: Parameters<typeof Field.open>[2]["upstream"];
  readonly trialPath: string;
  /** Loads for a slice and gives how many requests began, and how many of them were not served though they should be. */
  readonly slice: (field: Field, gateway: RunningGateway) => Promise<{ count: number; notServed: number }>;
  readonly isEnough: (count: number) => boolean;
}

/** A million requests, or as many as half of the time allows. */
function unaryPhase({ plan }: Bench, endMs: number): Phase {
  const { requests, minutes } = plan.soak;
  const sliceMs = sliceMsOf(minutes * 30_000);
  return {
    caseName: SOAK_UNARY_CASE,
    upstream: { minimal: true, models: [UNARY_MODEL], projects: projectsOf(benchKeys(KEYS)) },
    trialPath: UNARY_PATH,
    slice: async ({ load }, gateway) => {
      const target = gateway.target(UNARY_PATH, QUESTION);
      const order = { target, connections: plan.connections, durationMs: sliceMs };
      const { served, failed } = await load.run("keepBusy", order);
      return { count: served + failed, notServed: failed };
    },
    isEnough: (count) => count >= requests || performance.now() > endMs - minutes * 30_000,
  };
}

function churnPhase({ plan }: Bench, endMs: number): Phase {
  const { streams, minutes } = plan.soak;
  return {
    caseName: SOAK_STREAM_CASE,
    upstream: { models: [STREAM], projects: projectsOf(benchKeys(KEYS)) },
    trialPath: streamPath(STREAM),
    slice: async ({ load }, gateway) => {
      const target = gateway.target(streamPath(STREAM), QUESTION);
      const durationMs = sliceMsOf(minutes * 30_000);
      const { begun, complete, refused } = await load.run("churn", {
        target,
        streams,
        durationMs,
        leaveEvery: LEAVE_EVERY,
      });
      if (complete === 0) throw new Error("no stream of the churn came to its end");
      return { count: begun, notServed: refused };
    },
    isEnough: () => performance.now() > endMs,
  };
}

interface Sample {
  readonly count: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
}

async function soak(bench: Bench, pinning: Pinning, phase: Phase): Promise<Record<string, number>> {
  await using field = await Field.open(bench, pinning, {
    upstream: phase.upstream,
    trialPath: phase.trialPath,
    trialBody: QUESTION,
  });
  const around = field.surroundings(pinning.contender);
  const heapPath = join(around.folder, "heap");
  await using gateway = await startGateway(around, {
    name: GATEWAY,
    program: GATEWAY_PROGRAM,
    workers: WORKERS,
    keys: benchKeys(KEYS),
    flags: GATEWAY_FLAGS,
    ...heapProbeSetup(heapPath),
  });
  if (phase.caseName === SOAK_STREAM_CASE) await field.upstream.makeFaulty(FAULTS);
  const startMs = performance.now();
  const samples: Sample[] = [];
  let [count, notServed] = [0, 0];
  // A phase has a few samples however long its slices took, for a line needs them.
  while (samples.length < 3 || !phase.isEnough(count)) {
    const slice = await phase.slice(field, gateway);
    count += slice.count;
    notServed += slice.notServed;
    await sleep(SETTLE_MS);
    const heaps = await askHeapBytes(gateway.pid, heapPath, WORKERS);
    const heapBytes = heaps.reduce((sum, bytes) => sum + bytes, 0);
    samples.push({ count, heapBytes, residentBytes: readResidentBytes(gateway.pid) ?? NaN });
    bench.say(`  ${phase.caseName}: ${count.toLocaleString("en")}, heaps ${heaps.map(inMb).join(" + ")} MB`);
  }
  const heap = growthOf(samples.map((sample) => [sample.count, sample.heapBytes]));
  const resident = growthOf(samples.map((sample) => [sample.count, sample.residentBytes]));
  const minutes = (performance.now() - startMs) / 60_000;
  return { count, minutes, notServed, ...valuesOf("heap", heap), ...valuesOf("resident", resident) };
}

function valuesOf(name: "heap" | "resident", { first, last, share }: Growth): Record<string, number> {
  return { [`${name}First`]: first / MB, [`${name}Last`]: last / MB, [`${name}Growth`]: share * 100 };
}

function sliceMsOf(phaseMs: number): number {
  return Math.max(SLICE_MS_MIN, Math.round(phaseMs / SAMPLES));
}

function projectsOf(keys: readonly string[]) {
  return keys.map((key) => ({ name: `project of ${key}`, keys: [key] }));
}

function inMb(bytes: number): string {
  return (bytes / MB).toFixed(1);
}
