/**
 * Measurement 5: nearly every key runs out of its day's quota at once, and some of the other answers are overloads. What
 * do clients notice: how many are served, after how many calls to the upstream, how much later. Gateway only: no peer
 * has a pool of keys.
 */
import { type Bench, Field, type Entrant } from "../bench.ts";
import type { Contender } from "../contenders/contender.ts";
import { gatewayEntrants } from "../entrants.ts";
import type { PaceResult } from "../load/protocol.ts";
import { pinningOfOne } from "../pinning.ts";
import { type Measurement, type Metric, Recorder } from "../result.ts";
import { benchKeys, QUESTION, UNARY_MODEL, UNARY_PATH } from "../workload.ts";

export const CALM_CASE = "before it";
export const OUTBREAK_CASE = "as it breaks out";
export const AFTER_CASE = "right after that";
export const SETTLED_CASE = "when it has settled";

/** The outbreak proper: the exhausted keys are found out within it. */
const OUTBREAK_MS = 1_000;
/** Attempts of one request as shipped (`retry.attempts`): a request fails when all of them meet exhausted keys. */
const ATTEMPTS = 5;

const METRICS: readonly Metric[] = [
  { id: "success", title: "served", unit: "%", better: "higher", digits: 2 },
  { id: "notServed", title: "not served", unit: "", better: "lower", digits: 0 },
  { id: "calls", title: "upstream calls per request", unit: "", better: "lower", digits: 3 },
  { id: "p50", title: "p50", unit: "ms", better: "lower", digits: 2 },
  { id: "p99", title: "p99", unit: "ms", better: "lower", digits: 2 },
  { id: "addedP50", title: "added p50", unit: "ms", better: "lower", digits: 2 },
  { id: "addedP99", title: "added p99", unit: "ms", better: "lower", digits: 2 },
];

export async function measureStorm(bench: Bench): Promise<Measurement> {
  const { plan, machine } = bench;
  const { keys, exhaustedShare, overloadedShare, ratePerSecond } = plan.storm;
  const recorder = new Recorder();
  const pinning = pinningOfOne(machine.cores, machine.canPin);
  const entrants = gatewayEntrants(bench, { workers: 2, keys: benchKeys(keys) });
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const entrant of entrants) {
      bench.say(`  round ${round + 1} of ${plan.rounds}: ${entrant.name}`);
      await measureOne(bench, entrant, recorder);
    }
  }
  return {
    id: "storm",
    title: "Storm",
    method: `${keys} keys, each a project of its own, ${ratePerSecond} requests/s: then the day's quota of ${exhaustedShare * 100} % of them is used up, and ${overloadedShare * 100} % of the other answers are 503. Added latency is over the calm before. A request fails when each of its ${ATTEMPTS} attempts meets an exhausted key that was not known to be one: until all are known at most ${Math.round((keys * exhaustedShare) / ATTEMPTS)} requests can fail so.`,
    metrics: METRICS,
    rows: recorder.rows(),
    notes: [
      pinning.sentence,
      "The upstream is the whole emulator here: its answers take longer than elsewhere.",
    ],
  };
}

/** One storm from its beginning, on an upstream of its own, because a storm does not pass. */
async function measureOne(bench: Bench, entrant: Entrant, recorder: Recorder): Promise<void> {
  const { plan, machine } = bench;
  const pinning = pinningOfOne(machine.cores, machine.canPin);
  const projects = benchKeys(plan.storm.keys).map((key) => ({ name: `project of ${key}`, keys: [key] }));
  await using field = await Field.open(bench, pinning, {
    upstream: { models: [UNARY_MODEL], projects },
    trialPath: UNARY_PATH,
    trialBody: QUESTION,
  });
  await using contender = await field.start(entrant, pinning.contender);
  if (contender === undefined) return;
  // Every key has worked before: the storm takes what the gateway trusts.
  await load(field, contender, plan.storm.ratePerSecond, plan.warmUpMs);
  const calm = await load(field, contender, plan.storm.ratePerSecond, plan.roundMs);
  recorder.record(entrant.name, CALM_CASE, valuesOf(calm, undefined));
  const exhausted = projects.slice(0, Math.round(projects.length * plan.storm.exhaustedShare));
  await field.upstream.raiseStorm(
    exhausted.map(({ name }) => name),
    plan.storm.overloadedShare,
  );
  const outbreakMs = Math.min(OUTBREAK_MS, plan.roundMs / 2);
  for (const [caseName, durationMs] of [
    [OUTBREAK_CASE, outbreakMs],
    [AFTER_CASE, plan.roundMs - outbreakMs],
    [SETTLED_CASE, plan.roundMs],
  ] as const) {
    const stormy = await load(field, contender, plan.storm.ratePerSecond, durationMs);
    recorder.record(entrant.name, caseName, valuesOf(stormy, calm));
  }
}

interface Weathered extends PaceResult {
  readonly upstreamCalls: number;
}

async function load(
  field: Field,
  contender: Contender,
  ratePerSecond: number,
  durationMs: number,
): Promise<Weathered> {
  const callsBefore = await field.upstream.generations();
  const target = contender.target(UNARY_PATH, QUESTION);
  const result = await field.load.run("pace", {
    target,
    ratePerSecond,
    durationMs,
    leadInMs: 0,
    // A request of the generator's own would be the storm's first.
    connectionsReady: 0,
    until: "end",
  });
  return { ...result, upstreamCalls: (await field.upstream.generations()) - callsBefore };
}

function valuesOf(
  { served, failed, latencies, upstreamCalls }: Weathered,
  calm: Weathered | undefined,
): Record<string, number | undefined> {
  const { p50, p99 } = latencies;
  return {
    success: (served * 100) / (served + failed),
    notServed: failed,
    calls: upstreamCalls / (served + failed),
    p50,
    p99,
    // Without an answer there is no latency; what comes from another process is null then.
    ...(calm !== undefined &&
      latencies.count > 0 && { addedP50: p50 - calm.latencies.p50, addedP99: p99 - calm.latencies.p99 }),
  };
}
