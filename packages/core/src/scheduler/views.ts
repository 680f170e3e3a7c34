/**
 * What the scheduler tells about itself: for readiness, status pages and explanations. Part of the scheduler, primary
 * thread; reads only.
 */
import type { KeyHealth } from "../key-health.ts";
import type { LaneState } from "../lane.ts";
import type { KeyId } from "../lease.ts";
import type { ProjectStanding } from "../project-standing.ts";
import type { LearnedLimits } from "../quota/learned-limits.ts";
import type { QuotaLimits } from "../quota/quota-limits.ts";
import type { UseCounts } from "./lease-book.ts";
import type { Ledger } from "./ledger.ts";
import type { Lane, LanePlace, Model, PlaceCount, PooledKey } from "./records.ts";

/** Counted in one step of a summary: some tenths of a millisecond. */
const KEYS_PER_STEP = 1_000;
const MODELS_PER_STEP = 20;

export interface Readiness {
  /** Some key is enabled, healthy and of a project in good standing. */
  readonly isReady: boolean;
  readonly keys: number;
  readonly availableKeys: number;
}

export interface ModelSummary {
  readonly model: string;
  /** Keys that could be lent for this model, those never tried for it included. */
  readonly availableKeys: number;
  /** Enabled keys that could not. */
  readonly unavailableKeys: number;
  readonly inFlight: number;
  /** Lanes and usable keys by place; projects never tried for this model are in none. */
  readonly places: Readonly<Record<LanePlace, Readonly<PlaceCount>>>;
}

export interface SchedulerSummary {
  readonly keys: number;
  readonly enabledKeys: number;
  readonly availableKeys: number;
  /** Keys by state and reason, such as `good`, `dead/leaked`, `project-billing` or `disabled`. */
  readonly keysByState: Readonly<Record<string, number>>;
  readonly models: readonly ModelSummary[];
  readonly leases: number;
  readonly inFlight: number;
  readonly uses: Readonly<UseCounts>;
}

/** How many keys of a model can serve it: cheap to ask for. */
export interface ModelHealth {
  readonly model: string;
  /** Enabled keys that nothing speaks against for this model, those that are paced or busy included. */
  readonly healthyKeys: number;
  /** Enabled keys. */
  readonly keys: number;
}

export interface LaneView {
  readonly model: string;
  readonly state: LaneState;
  readonly place: LanePlace;
  readonly inFlight: number;
  /** Milliseconds since the epoch, 0 for never. */
  readonly lastServedMs: number;
  /** Undefined until a use was lent. */
  readonly quota?: LaneQuotaView;
}

/** What is known of a lane's quota, and how much of it is used by our own count. */
export interface LaneQuotaView {
  /** In force: configured, else learnt. */
  readonly limits: QuotaLimits;
  readonly learned: LearnedLimits;
  readonly requestsOfMinute: number;
  readonly tokensOfMinute: number;
  readonly requestsOfDay: number;
  /** When there is room for the next request, milliseconds since the epoch; 0 for now. */
  readonly roomAtMs: number;
}

export interface KeyView {
  readonly id: KeyId;
  readonly project: string;
  readonly isEnabled: boolean;
  readonly health: KeyHealth;
  readonly standing: ProjectStanding;
  readonly inFlight: number;
  readonly lanes: readonly LaneView[];
}

export function readinessOf({ pool }: Ledger): Readiness {
  const { availableKeys } = pool;
  return { isReady: availableKeys > 0, keys: pool.keys.size, availableKeys };
}

/** A step for every so many keys, and for every so many models; what changes meanwhile may be counted as before or after. */
export function* summarySteps(ledger: Ledger): Generator<void, SchedulerSummary, void> {
  const { pool, book, shelf } = ledger;
  const keysByState: Record<string, number> = {};
  let visited = 0;
  for (const key of pool.keys.values()) {
    const state = stateWord(key);
    keysByState[state] = (keysByState[state] ?? 0) + 1;
    if (++visited % KEYS_PER_STEP === 0) yield;
  }
  const models: ModelSummary[] = [];
  for (const model of shelf.models.values()) {
    models.push(modelSummary(ledger, model));
    if (models.length % MODELS_PER_STEP === 0) yield;
  }
  return {
    keys: pool.keys.size,
    enabledKeys: pool.enabledKeys,
    availableKeys: pool.availableKeys,
    keysByState,
    models,
    leases: book.leases.size,
    inFlight: book.outstanding,
    uses: { ...book.counts },
  };
}

export function keyViewOf(ledger: Ledger, key: PooledKey, nowMs: number): KeyView {
  const { id, project, isEnabled, health, inFlight } = key;
  const lanes = project.lanes.map((lane) => ({
    model: lane.model.name,
    state: lane.state,
    place: lane.place ?? "away",
    inFlight: lane.inFlight,
    lastServedMs: lane.lastServedMs,
    ...quotaViewOf(ledger, lane, nowMs),
  }));
  return { id, project: project.name, isEnabled, health, standing: project.standing, inFlight, lanes };
}

function quotaViewOf(ledger: Ledger, lane: Lane, nowMs: number): { readonly quota?: LaneQuotaView } {
  const { quota, pacedUntilMs: roomAtMs } = lane;
  if (quota === undefined) return {};
  const { limits, learned } = quota;
  return { quota: { limits, learned, ...quota.usedAt(nowMs, ledger.dayAt(nowMs)), roomAtMs } };
}

/** A step for each model. */
export function* modelHealths({ pool, shelf }: Ledger): Generator<ModelHealth, void, void> {
  for (const { name: model, census } of shelf.models.values()) {
    const { overloaded, unavailable } = census;
    const ill = overloaded.keys + unavailable.keys + census["quota-minute"].keys + census["quota-day"].keys;
    yield { model, healthyKeys: pool.availableKeys - ill, keys: pool.enabledKeys };
  }
}

function modelSummary({ pool }: Ledger, model: Model): ModelSummary {
  const { census } = model;
  const { overloaded, paced, unavailable } = census;
  const closed = [overloaded, paced, census["quota-minute"], census["quota-day"], unavailable];
  const availableKeys = pool.availableKeys - closed.reduce((sum, { keys }) => sum + keys, 0);
  return {
    model: model.name,
    availableKeys,
    unavailableKeys: pool.enabledKeys - availableKeys,
    inFlight: model.inFlight,
    places: structuredClone(census),
  };
}

/** The one word or two that says why a key is in or out. */
function stateWord({ isEnabled, health, project }: PooledKey): string {
  if (!isEnabled) return "disabled";
  if ("reason" in health) return `${health.kind}/${health.reason}`;
  const { standing } = project;
  if (standing.kind === "denied") return `project-denied/${standing.reason}`;
  return standing.kind === "billing" ? "project-billing" : health.kind;
}
