/**
 * Measurement 3: what a contender adds to the latency of unary answers and of a stream's first event, at half of the rate
 * at which the gateway is saturated, over the same load sent to the upstream itself.
 */
import { type Bench, endAll, Field, turnOf } from "../bench.ts";
import type { Contender } from "../contenders/contender.ts";
import { DIRECT, directTo } from "../contenders/direct.ts";
import { GATEWAY, gatewayEntrants, peerEntrants } from "../entrants.ts";
import type { PaceResult } from "../load/protocol.ts";
import { pinningOfOne } from "../pinning.ts";
import type { Plan } from "../plan.ts";
import { meter, per } from "../processes/cpu-meter.ts";
import { type Measurement, type Metric, Recorder } from "../result.ts";
import {
  benchKeys,
  QUESTION,
  SHORT_STREAM_MODEL,
  SHORT_STREAM_PATH,
  UNARY_MODEL,
  UNARY_PATH,
} from "../workload.ts";

const KEYS = 10;

export const UNARY_CASE = "unary answer";
export const STREAM_CASE = "first event of a stream";

/** What is timed, and until when. */
const KINDS = [
  { caseName: UNARY_CASE, path: UNARY_PATH, until: "end" },
  { caseName: STREAM_CASE, path: SHORT_STREAM_PATH, until: "first-event" },
] as const;
type Kind = (typeof KINDS)[number];

const METRICS: readonly Metric[] = [
  { id: "p50", title: "p50", unit: "ms", better: "lower", digits: 2 },
  { id: "p99", title: "p99", unit: "ms", better: "lower", digits: 2 },
  { id: "p999", title: "p99.9", unit: "ms", better: "lower", digits: 2 },
  { id: "addedP50", title: "added p50", unit: "ms", better: "lower", digits: 2 },
  { id: "addedP99", title: "added p99", unit: "ms", better: "lower", digits: 2 },
  { id: "addedP999", title: "added p99.9", unit: "ms", better: "lower", digits: 2 },
  { id: "rate", title: "requests/s", unit: "", better: "neither", digits: 0 },
  { id: "busy", title: "core used", unit: "%", better: "lower", digits: 0 },
  { id: "unsent", title: "not sent", unit: "", better: "lower", digits: 0 },
  { id: "behind", title: "generator behind by", unit: "ms", better: "neither", digits: 0 },
  { id: "failed", title: "failed", unit: "", better: "lower", digits: 0 },
];

export async function measureLatency(bench: Bench): Promise<Measurement> {
  const { plan, machine } = bench;
  const recorder = new Recorder();
  const pinning = pinningOfOne(machine.cores, machine.canPin);
  const keys = benchKeys(KEYS);
  const key = keys[0] ?? "";
  await using field = await Field.open(bench, pinning, {
    upstream: {
      minimal: true,
      models: [UNARY_MODEL, SHORT_STREAM_MODEL],
      projects: [{ name: "bench", keys }],
    },
    trialPath: UNARY_PATH,
    trialBody: QUESTION,
  });
  const entrants = [...gatewayEntrants(bench, { workers: 1, keys }), ...peerEntrants(bench, key)];
  const contenders = await field.startAll(entrants, pinning.contender);
  const all = [directTo(field.upstream.url, key), ...contenders];
  for (const { path } of KINDS) await warmUp(bench, field, { contenders, path });
  for (let round = 0; round < plan.rounds; round += 1) {
    bench.say(`  round ${round + 1} of ${plan.rounds}`);
    for (const kind of KINDS) {
      // Anew each time: the half of what a host could do a minute ago may be all that it can do now.
      const rates = await ratesOf(bench, field, { contenders, path: kind.path });
      await measureRound(field, turnOf(all, round), { kind, rates, plan, recorder });
    }
  }
  await endAll(contenders);
  return {
    id: "latency",
    title: "Added latency",
    method:
      "Requests sent by the clock, at half of the rate at which such requests saturate the gateway in that round, or of the contender's own where that is less; what is added is the difference to the same load without a contender, in the same round. Not sent: a thousand requests waited already, so the rate was too much for the contender on this machine. Core used: the contender's CPU time by the time that passed; requests that come one by one cost more than those that saturate.",
    metrics: METRICS,
    rows: recorder.rows(),
    notes: [pinning.sentence],
  };
}

interface Loaded {
  readonly contenders: readonly Contender[];
  readonly path: string;
}

async function warmUp({ plan }: Bench, { load }: Field, { contenders, path }: Loaded): Promise<void> {
  const { connections, warmUpMs: durationMs } = plan;
  for (const contender of contenders)
    await load.run("keepBusy", { target: contender.target(path, QUESTION), connections, durationMs });
}

/** Half of what saturates the gateway, or of what saturates the contender itself if that is less: requests/s, by name. */
async function ratesOf(
  { plan }: Bench,
  { load }: Field,
  { contenders, path }: Loaded,
): Promise<ReadonlyMap<string, number>> {
  const halves = new Map<string, number>();
  for (const contender of contenders) {
    const order = { target: contender.target(path, QUESTION), connections: plan.connections };
    const { served, durationMs } = await load.run("keepBusy", { ...order, durationMs: plan.roundMs });
    halves.set(contender.name, (served * 500) / durationMs);
  }
  const common = halves.get(GATEWAY) ?? 0;
  const rates = [...halves].map(([name, half]) => [name, Math.min(half, common)] as const);
  return new Map([...rates, [DIRECT, common] as const]);
}

interface Round {
  readonly kind: Kind;
  readonly rates: ReadonlyMap<string, number>;
  readonly plan: Plan;
  readonly recorder: Recorder;
}

async function measureRound(
  { load }: Field,
  contenders: readonly Contender[],
  { kind, rates, plan, recorder }: Round,
): Promise<void> {
  const { roundMs: durationMs, leadInMs, connectionsReady } = plan;
  const results = new Map<string, PaceResult & { readonly busy: number | undefined }>();
  for (const contender of contenders) {
    const target = contender.target(kind.path, QUESTION);
    const ratePerSecond = Math.max(1, Math.round(rates.get(contender.name) ?? 0));
    const order = {
      target,
      ratePerSecond,
      durationMs,
      leadInMs,
      connectionsReady,
      until: kind.until,
    };
    const startMs = performance.now();
    const { result, cpuUs } = await meter(contender, () => load.run("pace", order));
    results.set(contender.name, { ...result, busy: per(cpuUs, (performance.now() - startMs) * 10) });
  }
  const direct = results.get(DIRECT)?.latencies;
  for (const [name, { served, latencies, busy, unsent, behindMs, failed }] of results) {
    const { p50, p99, p999 } = latencies;
    // Without an answer there is no latency; what comes from another process is null then.
    const isKnown = direct !== undefined && direct.count > 0 && latencies.count > 0;
    const added = name === DIRECT || !isKnown ? {} : addedTo(direct, latencies);
    const rate = (served * 1000) / durationMs;
    recorder.record(name, kind.caseName, {
      p50,
      p99,
      p999,
      ...added,
      rate,
      busy,
      unsent,
      behind: behindMs,
      failed,
    });
  }
}

function addedTo(direct: PaceResult["latencies"], through: PaceResult["latencies"]) {
  return {
    addedP50: through.p50 - direct.p50,
    addedP99: through.p99 - direct.p99,
    addedP999: through.p999 - direct.p999,
  };
}
