/**
 * Measurement 2: CPU time per relayed event, memory per held stream, events lost. Each contender starts afresh in every
 * round, because a process that has held ten thousand streams does not give their memory back.
 */
import { type Bench, type Entrant, Field, turnOf } from "../bench.ts";
import type { Contender } from "../contenders/contender.ts";
import { gatewayEntrants, peerEntrants } from "../entrants.ts";
import { pinningOfOne } from "../pinning.ts";
import type { StreamSize } from "../plan.ts";
import { meter, per } from "../processes/cpu-meter.ts";
import { readResidentBytes } from "../processes/proc-files.ts";
import { type Measurement, type Metric, Recorder } from "../result.ts";
import {
  benchKeys,
  QUESTION,
  SHORT_STREAM_MODEL,
  SHORT_STREAM_PATH,
  streamModel,
  streamPath,
} from "../workload.ts";
import { setTimeout as sleep } from "node:timers/promises";

const KEYS = 10;
/** Open files a process needs beside its streams. */
const FILES_ASIDE = 500;
/** Milliseconds that one stream takes to open, with room for a slow contender. */
const OPEN_MS_PER_STREAM = 2;
/** Time left at both ends of the window. */
const MARGIN_MS = 2_000;
/** Memory is counted when what the opening left behind has been collected, as far as it is. */
const SETTLE_MS = 500;
/** As shipped the gateway holds 5,000 requests: the limit is raised for what is above. */
const GATEWAY_FLAGS = ["--limits-requests", "100000", "--limits-connections", "100000"];

const METRICS: readonly Metric[] = [
  { id: "cpu", title: "CPU per event", unit: "µs", better: "lower", digits: 1 },
  { id: "memory", title: "memory per stream", unit: "KB", better: "lower", digits: 1 },
  { id: "resident", title: "resident memory, all", unit: "MB", better: "lower", digits: 0 },
  { id: "rate", title: "events/s", unit: "", better: "neither", digits: 0 },
  { id: "lost", title: "events lost", unit: "", better: "lower", digits: 0 },
];

export function streamsCase(streams: number): string {
  return `${streams.toLocaleString("en")} streams`;
}

export async function measureStreams(bench: Bench): Promise<Measurement> {
  const { plan, machine } = bench;
  const recorder = new Recorder();
  const pinning = pinningOfOne(machine.cores, machine.canPin);
  const notes = [pinning.sentence];
  for (const planned of plan.streams) {
    const size = withinLimits(planned, machine.openFilesMax);
    if (size.streams < planned.streams) notes.push(cutSentence(planned, size, machine.openFilesMax));
    await measureSize(bench, size, recorder);
  }
  return {
    id: "streams",
    title: "Streams",
    method:
      "Streams held open at a steady rate of events; CPU time and events counted over a window in which all are open, memory against the same process before, which had served short streams for a while, lost events against what was sent.",
    metrics: METRICS,
    rows: recorder.rows(),
    notes,
  };
}

async function measureSize(bench: Bench, size: StreamSize, recorder: Recorder): Promise<void> {
  const { plan, machine } = bench;
  const pinning = pinningOfOne(machine.cores, machine.canPin);
  const keys = benchKeys(KEYS);
  const events = eventsOf(size, plan.streamWindowMs);
  const model = streamModel(`bench-stream-${size.streams}`, events, size.intervalMs);
  await using field = await Field.open(bench, pinning, {
    upstream: { minimal: true, models: [SHORT_STREAM_MODEL, model], projects: [{ name: "bench", keys }] },
    trialPath: SHORT_STREAM_PATH,
    trialBody: QUESTION,
  });
  const entrants: Entrant[] = [
    ...gatewayEntrants(bench, { workers: 1, keys, flags: GATEWAY_FLAGS }),
    ...peerEntrants(bench, keys[0] ?? ""),
  ];
  const held: Held = {
    streams: size.streams,
    events,
    path: streamPath(model),
    windowMs: plan.streamWindowMs,
    warmUp: { connections: plan.connections, durationMs: plan.streamWarmUpMs },
  };
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const entrant of turnOf(entrants, round)) {
      await using contender = await field.start(entrant, pinning.contender);
      if (contender === undefined) continue;
      bench.say(`  ${streamsCase(size.streams)}, round ${round + 1} of ${plan.rounds}: ${entrant.name}`);
      recorder.record(entrant.name, streamsCase(size.streams), await hold(field, contender, held));
    }
  }
}

interface Held {
  readonly streams: number;
  /** Of each stream. */
  readonly events: number;
  readonly path: string;
  readonly windowMs: number;
  /** So that code is compiled, and what a collector keeps for its own work is not taken for memory of the streams. */
  readonly warmUp: { readonly connections: number; readonly durationMs: number };
}

async function hold(
  { load }: Field,
  contender: Contender,
  held: Held,
): Promise<Record<string, number | undefined>> {
  await load.run("keepBusy", { target: contender.target(SHORT_STREAM_PATH, QUESTION), ...held.warmUp });
  await sleep(SETTLE_MS);
  const bytesBefore = residentOf(contender);
  const target = contender.target(held.path, QUESTION);
  const { failed } = await load.run("openStreams", { target, streams: held.streams });
  await sleep(SETTLE_MS);
  const window = await countOver(load, contender, held.windowMs);
  const bytesHeld = residentOf(contender);
  const end = await load.run("finishStreams", {});
  return {
    cpu: window.ended > 0 ? undefined : per(window.cpuUs, window.events),
    memory: per(differenceOf(bytesHeld, bytesBefore), (held.streams - failed) * 1024),
    resident: per(bytesHeld, 1024 * 1024),
    rate: (window.events * 1000) / held.windowMs,
    lost: held.streams * held.events - end.events,
  };
}

async function countOver(
  load: Field["load"],
  contender: Contender,
  windowMs: number,
): Promise<{ cpuUs: number | undefined; events: number; ended: number }> {
  const before = await load.run("countEvents", {});
  const { result: after, cpuUs } = await meter(contender, async () => {
    await sleep(windowMs);
    return load.run("countEvents", {});
  });
  return { cpuUs, events: after.events - before.events, ended: after.ended };
}

/** Enough for the opening, the window and a margin at both ends. */
function eventsOf({ streams, intervalMs }: StreamSize, windowMs: number): number {
  return Math.ceil((streams * OPEN_MS_PER_STREAM + SETTLE_MS + windowMs + 2 * MARGIN_MS) / intervalMs);
}

/** A proxy needs two sockets for each stream. */
function withinLimits(size: StreamSize, openFilesMax: number | undefined): StreamSize {
  const most = Math.floor(((openFilesMax ?? Infinity) - FILES_ASIDE) / 2);
  return size.streams <= most ? size : { ...size, streams: most };
}

function cutSentence(planned: StreamSize, size: StreamSize, openFilesMax: number | undefined): string {
  return `${planned.streams} streams were cut to ${size.streams}: a process may open ${openFilesMax} files here (the hard limit of open files, ulimit -Hn).`;
}

function residentOf({ pid }: Contender): number | undefined {
  return pid === undefined ? undefined : readResidentBytes(pid);
}

function differenceOf(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before;
}
