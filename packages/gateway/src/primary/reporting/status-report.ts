/**
 * The status of the running gateway as plain data: for the command line and `GET /status`. Primary thread; reads only.
 * It looks at every key, giving way to other work in between: whoever serves many callers keeps it for a while (see
 * page-office.ts). Holds no secret.
 */
import type { Scheduler } from "@gemini-gateway/core/scheduler/scheduler";
import type { ModelSummary, SchedulerSummary } from "@gemini-gateway/core/scheduler/views";
import type { Histogram } from "@gemini-gateway/core/traffic/histogram";
import type { Tally } from "@gemini-gateway/core/traffic/tally";
import { sumOf, type Tallies, type Traffic } from "@gemini-gateway/core/traffic/traffic";
import type {
  DatabaseStatus,
  ModelStatus,
  Percentiles,
  ResourceStatus,
  RunningStatus,
  TrafficStatus,
  WorkerStatus,
} from "../../control/types.ts";
import type { SharedCounters } from "../../shared-counters.ts";
import { ownVersion } from "../../version.ts";
import { runInSteps } from "../keys/steps.ts";
import type { RequestCounts } from "../store/rows.ts";
import type { Supervisor, WorkerView } from "../supervisor.ts";
import type { LoopDelayWatch } from "./loop-delay.ts";

/** What the report is put together from. */
export interface ReportSources {
  readonly baseUrl: string;
  readonly scheduler: Scheduler;
  readonly supervisor: Supervisor;
  readonly counters: SharedCounters;
  readonly traffic: Traffic;
  readonly database: () => DatabaseStatus;
  /** Addresses and networks banned now. */
  readonly bans: () => number;
  readonly resources: () => ResourceStatus;
  readonly loopDelay: LoopDelayWatch;
  readonly startedAtMs: number;
  readonly now: () => number;
}

/** Models reported, the busiest of the last half hour first: the scheduler remembers every name callers made up. */
const MODELS_REPORTED_MAX = 100;

export async function statusReport(sources: ReportSources): Promise<RunningStatus> {
  const { scheduler, supervisor, counters, traffic, startedAtMs } = sources;
  const summary = await runInSteps(scheduler.summarySteps(sources.now()));
  const nowMs = sources.now();
  const workers = supervisor.views(nowMs).map(workerStatus);
  const recent = traffic.recent(nowMs);
  return {
    running: true,
    pid: process.pid,
    version: ownVersion(),
    uptimeMs: nowMs - startedAtMs,
    baseUrl: sources.baseUrl,
    draining: counters.readiness === "draining",
    workers,
    keys: { total: summary.keys, byState: summary.keysByState },
    models: modelStatuses(summary, recent, scheduler, nowMs),
    inFlight: counters.total("requests"),
    waiting: counters.total("waiting"),
    liveSessions: counters.total("sessions"),
    requests: { sinceMs: startedAtMs, ...requestCounts(sumOf(traffic.sinceStart)) },
    recent: trafficStatus(sumOf(recent)),
    leases: { open: summary.leases, uses: summary.inFlight },
    bans: sources.bans(),
    resources: sources.resources(),
    conversations: {
      kept: counters.counted("conversationsKept"),
      moved: counters.counted("conversationsMoved"),
    },
    database: sources.database(),
    process: {
      memoryBytes: process.memoryUsage.rss(),
      loopDelay: sources.loopDelay.delay,
      messages: supervisor.messages,
      workersReplaced: supervisor.replaced,
    },
  };
}

function workerStatus({ holder, listening, activeRequests, waiting, upMs }: WorkerView): WorkerStatus {
  return { id: holder, state: listening ? "serving" : "starting", inFlight: activeRequests, waiting, upMs };
}

function modelStatuses(
  summary: SchedulerSummary,
  recent: Tallies,
  scheduler: Scheduler,
  nowMs: number,
): ModelStatus[] {
  const requestsOf = ({ model }: ModelSummary): number => recent.get(model)?.requests ?? 0;
  const busiest = summary.models.toSorted((left, right) => requestsOf(right) - requestsOf(left));
  return busiest.slice(0, MODELS_REPORTED_MAX).map((model): ModelStatus => {
    const tally = recent.get(model.model);
    const retryAtMs = model.availableKeys > 0 ? undefined : scheduler.denialFor(model.model, nowMs).retryAtMs;
    return {
      model: model.model,
      ready: model.availableKeys,
      resting: model.unavailableKeys,
      keys: keysByPlace(model, summary),
      inFlight: model.inFlight,
      ...(retryAtMs === undefined ? {} : { retryAtMs }),
      ...(tally === undefined ? {} : { recent: trafficStatus(tally) }),
    };
  });
}

/** Enabled keys by where they stand with a model; places without any are left out. */
function keysByPlace(model: ModelSummary, summary: SchedulerSummary): Readonly<Record<string, number>> {
  const { away: _away, ...places } = model.places;
  const counts: Record<string, number> = {};
  const add = (place: string, keys: number): void => {
    if (keys > 0) counts[place] = keys;
  };
  for (const [place, { keys }] of Object.entries(places)) add(place, keys);
  add("untried", model.availableKeys - places.open.keys - places.full.keys);
  add("out-of-service", summary.enabledKeys - summary.availableKeys);
  return counts;
}

function requestCounts(tally: Tally): RequestCounts {
  const { requests: total, attempts, promptTokens, outputTokens } = tally;
  return { total, byOutcome: Object.fromEntries(tally.byOutcome), attempts, promptTokens, outputTokens };
}

function trafficStatus(tally: Tally): TrafficStatus {
  const { requests, attempts, retries, promptTokens, outputTokens } = tally;
  return {
    requests,
    successRate: tally.successRate ?? null,
    byOutcome: Object.fromEntries(tally.byOutcome),
    attempts,
    retries,
    promptTokens,
    outputTokens,
    duration: percentiles(tally.duration),
    firstByte: percentiles(tally.firstByte),
  };
}

function percentiles(histogram: Histogram): Percentiles {
  const told = (q: number): number | null => {
    const valueMs = histogram.quantileMs(q);
    return valueMs === undefined ? null : Math.round(valueMs);
  };
  return { p50Ms: told(0.5), p90Ms: told(0.9), p99Ms: told(0.99) };
}
