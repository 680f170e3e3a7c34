/**
 * The table of the metrics that are read when a scrape comes, as opposed to those that grow request by request.
 * Primary thread; pure. Labels come from closed lists of our own, or are models of the bounded status report.
 */
import type { RunningStatus } from "../../control/types.ts";
import { ownVersion } from "../../version.ts";

/** What the metrics are read from. */
export interface Snapshot {
  readonly report: RunningStatus;
  /** Whether some key can serve. */
  readonly isReady: boolean;
  /** User and system time of the process, seconds. */
  readonly cpuSeconds: number;
  readonly nowMs: number;
}

/** One value of a metric, with the values of its labels in their order. */
export type Sample = readonly [value: number, ...labels: string[]];

export interface SnapshotMetric {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly labels: readonly string[];
  readonly samples: (snapshot: Snapshot) => readonly Sample[];
}

const MS_PER_SECOND = 1_000;

type Read = (snapshot: Snapshot) => number;

function gauge(name: string, help: string, read: Read): SnapshotMetric {
  return { name, help, type: "gauge", labels: [], samples: (snapshot) => [[read(snapshot)]] };
}

function counter(name: string, help: string, read: Read): SnapshotMetric {
  return { name, help, type: "counter", labels: [], samples: (snapshot) => [[read(snapshot)]] };
}

export const SNAPSHOT_METRICS: readonly SnapshotMetric[] = [
  {
    name: "gemini_gateway_info",
    help: "Version of the gateway; the value is always 1",
    type: "gauge",
    labels: ["version"],
    samples: () => [[1, ownVersion()]],
  },
  gauge(
    "gemini_gateway_ready",
    "1 when at least one key is in service and the gateway takes requests",
    (snapshot) => Number(snapshot.isReady),
  ),
  {
    name: "gemini_gateway_keys",
    help: "Keys by state and, where there is one, reason",
    type: "gauge",
    labels: ["state", "reason"],
    samples: ({ report }) =>
      Object.entries(report.keys.byState).map(([word, keys]) => {
        const [state = "", reason = ""] = word.split("/");
        return [keys, state, reason];
      }),
  },
  {
    name: "gemini_gateway_model_keys",
    help: "Enabled keys by where they stand with a model: open, untried, quota-day and so on",
    type: "gauge",
    labels: ["model", "state"],
    samples: ({ report }) =>
      report.models.flatMap(({ model, keys }) =>
        Object.entries(keys).map(([state, count]): Sample => [count, model, state]),
      ),
  },
  gauge("gemini_gateway_requests_in_flight", "Requests being served", ({ report }) => report.inFlight),
  gauge(
    "gemini_gateway_live_sessions",
    "Live sessions (WebSocket) open",
    ({ report }) => report.liveSessions,
  ),
  gauge("gemini_gateway_queue_length", "Requests waiting for a key", ({ report }) => report.waiting),
  gauge("gemini_gateway_leases", "Leases of keys in force", ({ report }) => report.leases.open),
  gauge(
    "gemini_gateway_lease_uses",
    "Uses of leased keys that have not ended",
    ({ report }) => report.leases.uses,
  ),
  {
    name: "gemini_gateway_workers",
    help: "Worker threads by state",
    type: "gauge",
    labels: ["state"],
    samples: ({ report }) =>
      ["serving", "starting"].map((state): Sample => [
        report.workers.filter((worker) => worker.state === state).length,
        state,
      ]),
  },
  counter(
    "gemini_gateway_workers_replaced_total",
    "Worker threads that died and were replaced",
    ({ report }) => report.process.workersReplaced,
  ),
  counter(
    "gemini_gateway_thread_messages_total",
    "Messages between the primary and its workers",
    ({ report }) => report.process.messages,
  ),
  gauge("gemini_gateway_banned_addresses", "Addresses and networks banned now", ({ report }) => report.bans),
  gauge(
    "gemini_gateway_resources",
    "Resources of single projects whose owner is known",
    ({ report }) => report.resources.known,
  ),
  {
    name: "gemini_gateway_conversation_requests_total",
    help: "Requests that go on with a conversation: kept at the project that served it before, or moved to another",
    type: "counter",
    labels: ["project"],
    samples: ({ report: { conversations } }) => [
      [conversations.kept, "kept"],
      [conversations.moved, "moved"],
    ],
  },
  gauge(
    "gemini_gateway_database_up",
    "1 when the database can be written; 0: it fails, or there is no file",
    ({ report }) => Number(report.database.state === "ok"),
  ),
  gauge(
    "gemini_gateway_database_pending_rows",
    "Rows of the request log waiting to be written",
    ({ report }) => report.database.pendingRows,
  ),
  counter(
    "gemini_gateway_database_lost_rows_total",
    "Rows of the request log given up",
    ({ report }) => report.database.lostRows,
  ),
  gauge(
    "gemini_gateway_event_loop_delay_p50_seconds",
    "Median delay of the primary thread's event loop",
    ({ report }) => report.process.loopDelay.p50Ms / MS_PER_SECOND,
  ),
  gauge(
    "gemini_gateway_event_loop_delay_p99_seconds",
    "99th percentile of the same",
    ({ report }) => report.process.loopDelay.p99Ms / MS_PER_SECOND,
  ),
  gauge(
    "gemini_gateway_event_loop_delay_max_seconds",
    "Longest of the same in the last minute or two",
    ({ report }) => report.process.loopDelay.maxMs / MS_PER_SECOND,
  ),
  gauge(
    "process_start_time_seconds",
    "Start of the process, seconds since the epoch",
    ({ report, nowMs }) => (nowMs - report.uptimeMs) / MS_PER_SECOND,
  ),
  gauge(
    "process_resident_memory_bytes",
    "Resident memory of the process, all threads",
    ({ report }) => report.process.memoryBytes,
  ),
  counter(
    "process_cpu_seconds_total",
    "User and system CPU time of the process, all threads",
    ({ cpuSeconds }) => cpuSeconds,
  ),
];
