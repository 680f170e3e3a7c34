/**
 * Where the gateway's time goes, only when asked for: CPU profiles of its threads under unary requests and under streams,
 * summed by area. The profiles themselves are kept in bench/.cache, to be opened with the developer tools of a browser.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Bench, Field } from "../bench.ts";
import { GATEWAY_PROGRAM, type RunningGateway, startGateway } from "../contenders/gateway.ts";
import { GATEWAY } from "../entrants.ts";
import { pinningOfOne } from "../pinning.ts";
import { profile, profileProbeSetup } from "../processes/probe-files.ts";
import { type CpuProfile, timeByAreaUs } from "../report/areas.ts";
import { type Measurement, type Metric, Recorder } from "../result.ts";
import { benchKeys, QUESTION, streamModel, streamPath, UNARY_MODEL, UNARY_PATH } from "../workload.ts";

/** Ignored by git. */
const FOLDER = fileURLToPath(new URL("../../.cache/profiles/", import.meta.url));
const KEYS = 10;
/** One, so that all of what a thread does is in one profile. */
const WORKERS = 1;
const STREAMS = 500;
const INTERVAL_MS = 50;
/** Areas below this share of a thread's busy time are not told. */
const SHARE_MIN = 0.01;

const METRICS: readonly Metric[] = [
  { id: "share", title: "of the thread's busy time", unit: "%", better: "neither", digits: 1 },
  { id: "each", title: "per request or event", unit: "µs", better: "neither", digits: 2 },
];

export async function measureProfile(bench: Bench): Promise<Measurement> {
  const { plan, machine } = bench;
  const recorder = new Recorder();
  const pinning = pinningOfOne(machine.cores, machine.canPin);
  const keys = benchKeys(KEYS);
  const seconds = (plan.warmUpMs + plan.roundMs * 2) / 1000;
  const model = streamModel("bench-profile", Math.ceil((seconds * 1000) / INTERVAL_MS), INTERVAL_MS);
  mkdirSync(FOLDER, { recursive: true });
  await using field = await Field.open(bench, pinning, {
    upstream: { minimal: true, models: [UNARY_MODEL, model], projects: [{ name: "bench", keys }] },
    trialPath: UNARY_PATH,
    trialBody: QUESTION,
  });
  for (const kind of ["unary", "streams"] as const) {
    bench.say(`  ${kind}`);
    const path = join(FOLDER, kind);
    await using gateway = await startGateway(field.surroundings(pinning.contender), {
      name: GATEWAY,
      program: GATEWAY_PROGRAM,
      workers: WORKERS,
      keys,
      ...profileProbeSetup(path),
    });
    const load = kind === "unary" ? underRequests : underStreams;
    const { profiles, count } = await load(bench, field, { gateway, path, streamPath: streamPath(model) });
    for (const [index, text] of profiles.entries()) {
      const thread = index === 0 ? "primary" : "worker";
      recordAreas(recorder, `${kind}, ${thread}`, { profile: JSON.parse(text) as CpuProfile, count });
    }
  }
  return {
    id: "profile",
    title: "Where the time goes",
    method: `CPU profiles of the gateway's threads, one worker: ${plan.connections} connections of unary requests, then ${STREAMS} streams of ${1000 / INTERVAL_MS} events/s. The profiler's own cost is in the figures; idle time is not, nor what is below ${SHARE_MIN * 100} %.`,
    subject: "area",
    metrics: METRICS,
    rows: recorder.rows(),
    notes: [pinning.sentence, "The profiles are in bench/.cache/profiles."],
  };
}

interface Profiled {
  readonly gateway: RunningGateway;
  readonly path: string;
  readonly streamPath: string;
}

/** Profiles of the threads, the primary first, and how many requests or events they saw. */
type Profiles = Promise<{ readonly profiles: readonly string[]; readonly count: number }>;

async function underRequests({ plan }: Bench, { load }: Field, { gateway, path }: Profiled): Profiles {
  const order = { target: gateway.target(UNARY_PATH, QUESTION), connections: plan.connections };
  await load.run("keepBusy", { ...order, durationMs: plan.warmUpMs });
  let count = 0;
  const profiles = await profile({ pid: gateway.pid, workers: WORKERS, path }, async () => {
    count = (await load.run("keepBusy", { ...order, durationMs: plan.roundMs })).served;
  });
  return { profiles, count };
}

async function underStreams({ plan }: Bench, { load }: Field, profiled: Profiled): Profiles {
  const { gateway, path } = profiled;
  await load.run("openStreams", { target: gateway.target(profiled.streamPath, QUESTION), streams: STREAMS });
  await sleep(plan.warmUpMs / 2);
  let count = 0;
  const profiles = await profile({ pid: gateway.pid, workers: WORKERS, path }, async () => {
    const before = await load.run("countEvents", {});
    await sleep(plan.roundMs);
    count = (await load.run("countEvents", {})).events - before.events;
  });
  await load.run("finishStreams", {});
  return { profiles, count };
}

function recordAreas(
  recorder: Recorder,
  caseName: string,
  { profile: cpuProfile, count }: { readonly profile: CpuProfile; readonly count: number },
): void {
  const times = [...timeByAreaUs(cpuProfile)].toSorted(([, left], [, right]) => right - left);
  const totalUs = times.reduce((sum, [, us]) => sum + us, 0);
  recorder.record("all", caseName, { share: 100, each: totalUs / count });
  for (const [area, us] of times) {
    if (us < totalUs * SHARE_MIN) continue;
    recorder.record(area, caseName, { share: (us * 100) / totalUs, each: us / count });
  }
}
