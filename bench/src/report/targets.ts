/** The targets of the gateway's speed, and how near a run came to them. Pure. */
import { ONE_WORKER } from "../measure/unary.ts";
import { workersCase } from "../measure/workers.ts";
import { STREAM_CASE, UNARY_CASE } from "../measure/latency.ts";
import { keysCase } from "../measure/pool-size.ts";
import { SOAK_STREAM_CASE, SOAK_UNARY_CASE } from "../measure/soak.ts";
import { NGINX } from "../contenders/nginx.ts";
import { PORTKEY } from "../contenders/portkey.ts";
import { UNDICI_PROXY } from "../contenders/undici-proxy.ts";
import { GATEWAY } from "../entrants.ts";
import { unitBehind } from "./units.ts";
import { figureIn, type Measurement, type MeasurementId } from "../result.ts";
import { type Figure, figureOf, ratioOf } from "../statistics.ts";

/** One target and what was found. */
export interface Verdict {
  readonly title: string;
  /** `at most 3.0×, aim 2.0×` */
  readonly target: string;
  readonly unit: string;
  readonly digits: number;
  /** Undefined when the run did not measure it, for want of a peer or by its options. */
  readonly figure: Figure | undefined;
  readonly outcome: "met" | "missed" | "not measured";
  /** By how much it was missed, as a share of the limit: 0.5 is half as much again. Undefined when it was not. */
  readonly missedBy: number | undefined;
}

interface Target {
  readonly title: string;
  readonly kind: "at most" | "at least";
  readonly limit: number;
  readonly aim?: number;
  readonly unit: string;
  readonly digits: number;
  readonly find: (find: Find) => Figure | undefined;
}

type Find = (id: MeasurementId, contender: string, caseName: string, metric: string) => Figure | undefined;

/** The keys of the largest pool are compared with those of the smallest. */
const POOL_FEW = keysCase(10);
const POOL_MANY = keysCase(100_000);

/** How each target was met; those of streams for each number of streams in the run. */
export function verdictsOn(measurements: readonly Measurement[]): Verdict[] {
  const find: Find = (id, contender, caseName, metric) =>
    figureIn(
      measurements.find((measurement) => measurement.id === id),
      { contender, case: caseName, metric },
    );
  // What was not asked for is not told to be missing; what could not be measured is.
  const isMeasured = (id: MeasurementId): boolean =>
    measurements.some((measurement) => measurement.id === id);
  return [
    ...(isMeasured("unary") ? unaryTargets() : []),
    ...casesOf(measurements, "streams").flatMap(streamTargets),
    ...(isMeasured("latency") ? latencyTargets() : []),
    ...(isMeasured("pool-size") ? poolTargets() : []),
    ...(isMeasured("soak") ? soakTargets() : []),
  ].map((target) => verdictOn(target, target.find(find)));
}

function unaryTargets(): Target[] {
  const cpuOver = (contender: string) => (find: Find) =>
    quotient(find("unary", GATEWAY, ONE_WORKER, "cpu"), find("unary", contender, ONE_WORKER, "cpu"));
  const portkeyOver = (find: Find): Figure | undefined =>
    quotient(find("unary", PORTKEY, ONE_WORKER, "cpu"), find("unary", GATEWAY, ONE_WORKER, "cpu"));
  const capacities = (more: number, fewer: number) => (find: Find) =>
    quotient(
      find("unary", GATEWAY, workersCase(more, Math.min(more, 2)), "capacity"),
      find("unary", GATEWAY, workersCase(fewer, fewer), "capacity"),
    );
  return [
    atMost("CPU time per request, over nginx", 3, { aim: 2, find: cpuOver(NGINX) }),
    atMost("CPU time per request, over the plain undici proxy", 1.15, {
      aim: 1,
      find: cpuOver(UNDICI_PROXY),
    }),
    atLeast(`requests per CPU second, over ${PORTKEY}`, 15, portkeyOver),
    atLeast("throughput of two workers on two cores, over one on one", 1.7, capacities(2, 1)),
    atLeast("throughput of eight workers on two cores, over two", 0.9, capacities(8, 2)),
  ];
}

function streamTargets(caseName: string): Target[] {
  const overNginx = (metric: string) => (find: Find) =>
    quotient(find("streams", GATEWAY, caseName, metric), find("streams", NGINX, caseName, metric));
  return [
    atMost(`CPU time per event over nginx, ${caseName}`, 2, { aim: 1.5, find: overNginx("cpu") }),
    atMost(`memory per stream over nginx, ${caseName}`, 3, { aim: 2, find: overNginx("memory") }),
    atMost(`events lost, ${caseName}`, 0, {
      unit: "",
      digits: 0,
      find: (find) => find("streams", GATEWAY, caseName, "lost"),
    }),
  ];
}

function latencyTargets(): Target[] {
  const overNginx = (caseName: string) => (find: Find) =>
    quotientOfMedians(
      find("latency", GATEWAY, caseName, "addedP99"),
      find("latency", NGINX, caseName, "addedP99"),
    );
  return [UNARY_CASE, STREAM_CASE].map((caseName) =>
    atMost(`added p99 at half load over nginx, ${caseName}`, 2, { find: overNginx(caseName) }),
  );
}

function poolTargets(): Target[] {
  const inPool = (caseName: string, metric: string) => (find: Find) =>
    find("pool-size", GATEWAY, caseName, metric);
  const many = (metric: string) => inPool(POOL_MANY, metric);
  const ms = { unit: "ms", digits: 0 };
  return [
    atMost(`CPU time per request with ${POOL_MANY}, over ${POOL_FEW}`, 1.05, {
      digits: 3,
      find: (find) => quotient(many("cpu")(find), inPool(POOL_FEW, "cpu")(find)),
    }),
    atMost(`ready with ${POOL_MANY} and a warm database`, 2_000, { ...ms, find: many("warm") }),
    // What the primary itself computed: on a busy machine the wall clock tells of the others.
    atMost(`longest turn of the primary under load, ${POOL_MANY}`, 20, { ...ms, find: many("loadTurnCpu") }),
    atMost(`longest turn of the primary in a sync of ${POOL_MANY}`, 20, { ...ms, find: many("syncTurnCpu") }),
  ];
}

/** Of memory that does not grow a line through its samples still rises or falls by some percent. */
const GROWTH_PERCENT_MAX = 5;

function soakTargets(): Target[] {
  const growth = (title: string, caseName: string, metric: string): Target =>
    atMost(`growth of ${title} over the soak, ${caseName}`, GROWTH_PERCENT_MAX, {
      unit: "%",
      digits: 1,
      find: (find) => find("soak", GATEWAY, caseName, metric),
    });
  return [SOAK_UNARY_CASE, SOAK_STREAM_CASE].flatMap((caseName) => [
    growth("the heap", caseName, "heapGrowth"),
    growth("resident memory", caseName, "residentGrowth"),
  ]);
}

function atMost(
  title: string,
  limit: number,
  more: Pick<Target, "find"> & Partial<Pick<Target, "aim" | "unit" | "digits">>,
): Target {
  return { title, kind: "at most", limit, unit: "×", digits: 2, ...more };
}

function atLeast(title: string, limit: number, find: Target["find"]): Target {
  return { title, kind: "at least", limit, unit: "×", digits: 2, find };
}

function verdictOn(target: Target, figure: Figure | undefined): Verdict {
  const { title, kind, limit, aim, unit, digits } = target;
  const unitText = unitBehind(unit);
  const aimText = aim === undefined ? "" : `, aim ${aim}${unitText}`;
  const stated = {
    title,
    target: `${kind} ${limit.toLocaleString("en")}${unitText}${aimText}`,
    unit,
    digits,
    figure,
  };
  if (figure === undefined) return { ...stated, outcome: "not measured", missedBy: undefined };
  const excess = kind === "at most" ? figure.median - limit : limit - figure.median;
  return excess <= 0
    ? { ...stated, outcome: "met", missedBy: undefined }
    : { ...stated, outcome: "missed", missedBy: excess / Math.max(limit, 1) };
}

/**
 * Of two figures that are differences themselves: in a round the divisor may be next to nothing, or below it, and the round's
 * ratio means nothing.
 */
function quotientOfMedians(dividend: Figure | undefined, divisor: Figure | undefined): Figure | undefined {
  if (dividend === undefined || divisor === undefined || divisor.median <= 0) return undefined;
  return figureOf([dividend.median / divisor.median]);
}

/** Round by round where the rounds pair, else of the medians. Undefined when there is nothing to divide by. */
function quotient(dividend: Figure | undefined, divisor: Figure | undefined): Figure | undefined {
  if (dividend === undefined || divisor === undefined) return undefined;
  const paired = ratioOf(dividend, divisor);
  if (paired !== undefined) return paired;
  return divisor.median > 0 ? figureOf([dividend.median / divisor.median]) : undefined;
}

function casesOf(measurements: readonly Measurement[], id: MeasurementId): string[] {
  const rows = measurements.find((measurement) => measurement.id === id)?.rows ?? [];
  return [...new Set(rows.map((row) => row.case))];
}
