/**
 * What the command line and a running gateway say to each other: plain data, as JSON.
 * Both sides. Must never hold a key: keys travel only towards the gateway, in `POST /keys`.
 */
import type { AddKeysReport, AddKeysRequest, RemoveKeysReport } from "../primary/keys/edit-files.ts";
import type { DatabaseState } from "../shared-counters.ts";
import type { ProjectSource, RequestCounts } from "../primary/store/rows.ts";

export type { AddKeysReport, AddKeysRequest, RemoveKeysReport };

/** One key, for people. */
export interface KeyListRow {
  readonly fingerprint: string;
  /** Name or number of the Google project; null when it is not known. */
  readonly project: string | null;
  readonly projectSource: ProjectSource | null;
  /** The scheduler's word for the key's state; `new` and `removed` for a key that waits for the next sync. */
  readonly state: string;
  readonly reason: string | null;
  /** Since when it has been in this state, milliseconds since the epoch. */
  readonly sinceMs: number | null;
  /** When it is expected back, milliseconds since the epoch. */
  readonly retryAtMs?: number;
  /** The key file it stands in. */
  readonly file: string | null;
  /** Requests it is serving now; only a running gateway knows. */
  readonly inFlight?: number;
  readonly enabled: boolean;
}

export interface KeyTotals {
  readonly total: number;
  readonly byState: Readonly<Record<string, number>>;
}

export interface WorkerStatus {
  readonly id: number;
  readonly state: string;
  readonly inFlight: number;
  /** Of these, those that wait for a key. */
  readonly waiting: number;
  readonly upMs: number;
}

/** Milliseconds that half, nine tenths and all but a hundredth stay below; null when nothing was measured. */
export interface Percentiles {
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
}

/** What went through in the last half hour. */
export interface TrafficStatus {
  readonly requests: number;
  /** Share, 0 to 1, of the requests served, callers' own faults left out; null when there are none. */
  readonly successRate: number | null;
  readonly byOutcome: Readonly<Record<string, number>>;
  /** Calls to the upstream. */
  readonly attempts: number;
  readonly retries: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** From the arrival to the end, and to the first byte, of requests that were answered. */
  readonly duration: Percentiles;
  readonly firstByte: Percentiles;
}

export interface ModelStatus {
  readonly model: string;
  /** Keys that can serve it now. */
  readonly ready: number;
  /** Enabled keys that cannot. */
  readonly resting: number;
  /** The nearest moment one of those returns, milliseconds since the epoch. */
  readonly retryAtMs?: number;
  /** Enabled keys by where they stand with this model and why: `open`, `untried`, `quota-day`, `out-of-service` … */
  readonly keys: Readonly<Record<string, number>>;
  /** Uses lent and not ended. */
  readonly inFlight: number;
  /** Absent when there was none. */
  readonly recent?: TrafficStatus;
}

/** Rows of the request log that are not in the database. */
export interface RowBacklog {
  readonly pendingRows: number;
  /** Given up since the start because too many waited. */
  readonly lostRows: number;
}

export interface DatabaseStatus extends RowBacklog {
  readonly state: DatabaseState;
}

/** How late the primary's own work comes, over the last minute or two. */
export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What only this process knows of itself. */
export interface ProcessStatus {
  readonly memoryBytes: number;
  readonly loopDelay: LoopDelay;
  /** Messages between the threads since the start. */
  readonly messages: number;
  readonly workersReplaced: number;
}

export interface LeaseStatus {
  readonly open: number;
  /** Uses of them that have not ended. */
  readonly uses: number;
}

/** Resources that belong to one project and whose owner is known. */
export interface ResourceStatus {
  /** Expired ones among them, until they are deleted. */
  readonly known: number;
  /** Changes that wait to be written to the database. */
  readonly unsaved: number;
}

/** Requests that go on with a conversation, since the start. */
export interface ConversationStatus {
  /** They went to the project that served it before. */
  readonly kept: number;
  /** That one could not serve them. */
  readonly moved: number;
}

export interface RequestTotals extends RequestCounts {
  /** Counted from this moment on, milliseconds since the epoch. */
  readonly sinceMs: number;
}

export interface RunningStatus {
  readonly running: true;
  readonly pid: number;
  readonly version: string;
  readonly uptimeMs: number;
  readonly baseUrl: string;
  readonly draining: boolean;
  readonly workers: readonly WorkerStatus[];
  readonly keys: KeyTotals;
  readonly models: readonly ModelStatus[];
  readonly inFlight: number;
  /** Requests waiting for a key, over all workers. */
  readonly waiting: number;
  /** Live sessions (WebSocket) that are open. */
  readonly liveSessions: number;
  readonly requests: RequestTotals;
  readonly recent: TrafficStatus;
  readonly leases: LeaseStatus;
  /** Addresses and networks banned now. */
  readonly bans: number;
  readonly resources: ResourceStatus;
  readonly conversations: ConversationStatus;
  readonly database: DatabaseStatus;
  readonly process: ProcessStatus;
}

/** What the files alone tell. */
export interface StoppedStatus {
  readonly running: false;
  readonly keys: KeyTotals;
  /** Absent when there is no database yet. */
  readonly requests?: RequestTotals;
}

export type StatusReport = RunningStatus | StoppedStatus;

export interface RemoveKeysRequest {
  readonly fingerprints: readonly string[];
}

/** What the primary supplies. Each may throw an OperatorError, whose message is passed on. */
export interface ControlHandlers {
  status(): RunningStatus | Promise<RunningStatus>;
  /** Consumed a slice at a time, between other work of the thread. */
  listKeys(): Iterable<KeyListRow>;
  addKeys(request: AddKeysRequest): Promise<AddKeysReport>;
  removeKeys(request: RemoveKeysRequest): Promise<RemoveKeysReport>;
}

/** Largest request, bytes of JSON: some 150,000 keys at once. */
export const CONTROL_REQUEST_BYTES_MAX = 8 * 1024 * 1024;
/** Largest answer the command line reads, bytes: a list of some 500,000 keys. */
export const CONTROL_ANSWER_BYTES_MAX = 256 * 1024 * 1024;
