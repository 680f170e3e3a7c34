/**
 * Measurement 3: what a contender adds to the latency of unary answers and of a stream's first event, at half of the rate
 * at which the gateway is saturated, over the same load sent to the upstream itself.
 */
import { type Bench, endAll, Field, turnOf } from "../bench.ts";
import type { Contender } from "../contenders/contender.ts";
import { DIRECT, directTo } from "../contenders/direct.ts";
import { GATEWAY, gatewayEntrants, peerEntrants } from "../entrants.ts";
import type { PaceResult, Target } from "../load/protocol.ts";
import { pinningOfOne } from "../pinning.ts";
import type { Plan } from "../plan.ts";
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
  const halves = new Map<Kind, ReadonlyMap<string, number>>();
  for (const kind of KINDS) halves.set(kind, await halvesOf(bench, field, { contenders, path: kind.path }));
  const all = [directTo(field.upstream.url, key), ...contenders];
  const gateway = contenders.find(({ name }) => name === GATEWAY);
  for (let round = 0; round < plan.rounds; round += 1) {
    bench.say(`  round ${round + 1} of ${plan.rounds}`);
    for (const [kind, ofKind] of halves) {
      // Taken anew each time: the half of what a host could do a minute ago may be all that it can do now.
      const common =
        gateway === undefined ? 0 : await halfOf(bench, field, gateway.target(kind.path, QUESTION));
      await measureRound(field, turnOf(all, round), { kind, common, halves: ofKind, plan, recorder });
    }
  }
  await endAll(contenders);
  return {
    id: "latency",
    title: "Added latency",
    method:
      "Requests sent by the clock, at half of the rate at which such requests saturate the gateway in that round, or of the contender's own where that is less; what is added is the difference to the same load without a contender, in the same round. Not sent: a thousand requests waited already, so the rate was too much for the contender on this machine.",
    metrics: METRICS,
    rows: recorder.rows(),
    notes: [pinning.sentence],
  };
}

/** Half of what saturates each contender, requests/s, by name; each has warmed up then. */
async function halvesOf(
  bench: Bench,
  field: Field,
  { contenders, path }: { readonly contenders: readonly Contender[]; readonly path: string },
): Promise<ReadonlyMap<string, number>> {
  const { connections, warmUpMs: durationMs } = bench.plan;
  const halves = new Map<string, number>();
  for (const contender of contenders) {
    const target = contender.target(path, QUESTION);
    await field.load.run("keepBusy", { target, connections, durationMs });
    halves.set(contender.name, await halfOf(bench, field, target));
  }
  return halves;
}

async function halfOf({ plan }: Bench, { load }: Field, target: Target): Promise<number> {
  const order = { target, connections: plan.connections, durationMs: plan.roundMs };
  const { served, durationMs } = await load.run("keepBusy", order);
  return (served * 500) / durationMs;
}

interface Round {
  readonly kind: Kind;
  /** Half of what saturates the gateway now, requests/s. */
  readonly common: number;
  /** Half of what saturated each contender before the first round, by name: a peer is not asked more than that. */
  readonly halves: ReadonlyMap<string, number>;
  readonly plan: Plan;
  readonly recorder: Recorder;
}

async function measureRound(
  { load }: Field,
  contenders: readonly Contender[],
  { kind, common, halves, plan, recorder }: Round,
): Promise<void> {
  const { roundMs: durationMs, leadInMs, connectionsReady } = plan;
  const results = new Map<string, PaceResult>();
  for (const contender of contenders) {
    const target = contender.target(kind.path, QUESTION);
    const half = contender.name === GATEWAY ? common : (halves.get(contender.name) ?? common);
    const ratePerSecond = Math.max(1, Math.round(Math.min(common, half)));
    const order = {
      target,
      ratePerSecond,
      durationMs,
      leadInMs,
      connectionsReady,
      until: kind.until,
    };
    results.set(contender.name, await load.run("pace", order));
  }
  const direct = results.get(DIRECT)?.latencies;
  for (const [name, { served, latencies, unsent, behindMs, failed }] of results) {
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
