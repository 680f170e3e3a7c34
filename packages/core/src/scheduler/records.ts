/**
 * What the scheduler remembers: keys, projects, models, lanes and the leases in force, with the links by which they stand in
 * its queues. Mutable for size (hundreds of thousands of records); only the files of this folder write to them, in the
 * primary thread.
 */
import type { KeyHealth } from "../key-health.ts";
import { UNTESTED_KEY, isKeyUsable } from "../key-health.ts";
import type { LaneState } from "../lane.ts";
import { UNTRIED_LANE } from "../lane.ts";
import type { HolderId, KeyId, LeaseId, ProjectId } from "../lease.ts";
import type { Charge, LaneQuota } from "../quota/lane-quota.ts";
import type { QuotaLimits } from "../quota/quota-limits.ts";
import type { ProjectStanding } from "../project-standing.ts";
import { GOOD_STANDING } from "../project-standing.ts";
import { Alarms } from "./alarms.ts";
import type { Alarmed } from "./alarms.ts";
import { Bursts } from "./bursts.ts";
import { Link } from "./link.ts";
import { LoadLevels } from "./load-levels.ts";
import type { RosterCursor, Rostered } from "./roster.ts";
import { Wariness } from "./wariness.ts";

/** Shared by all that have none, and never written to. */
const NONE: never[] = [];
const OWN_PREFIX = "key:";

/** No trial is out. Lease ids begin at 1. */
export const NO_TRIAL: LeaseId = 0;

/** Something that, while out of service, is tried by one use at a time. */
export interface TrialSubject extends Alarmed {
  /** Its time has come to be tried. */
  isTrialDue: boolean;
  /** The lease that tries it now, or {@link NO_TRIAL}. */
  trial: LeaseId;
  /** Number of the last change of state that mattered; older leases bring late news. */
  changedAt: number;
}

/** Its own link: among the project's ready keys while usable; among the pool's due trials while out. */
export class PooledKey extends Link<PooledKey> implements TrialSubject {
  readonly id: KeyId;
  project: Project;
  /** Its place in `project.keys`. */
  indexInProject = -1;
  /** What the operator wants; what was observed is `health`. */
  isEnabled = true;
  isRetired = false;
  health: KeyHealth = UNTESTED_KEY;
  /** Uses lent and not ended, over all models. */
  inFlight = 0;
  isTrialDue = false;
  trial = NO_TRIAL;
  changedAt = 0;
  alarmAtMs = 0;
  alarmIndex = -1;

  constructor(id: KeyId, project: Project) {
    super();
    this.value = this;
    this.id = id;
    this.project = project;
  }

  get isUsable(): boolean {
    return this.isEnabled && !this.isRetired && isKeyUsable(this.health);
  }
}

/**
 * Its own link: among the pool's due trials while out. Most pools have a project for each key, and most of those are
 * known by nothing but their key: what only larger or busier projects need is made when they do.
 */
export class Project extends Link<Project> implements TrialSubject, Rostered {
  readonly id: ProjectId;
  /** Undefined for the project that a key without one is. */
  readonly label: string | undefined;
  /** The key whose own project it is; meaningless when there is a label. */
  readonly ownerId: KeyId;
  keys: PooledKey[] = NONE;
  /** Usable keys, least in flight first; undefined while none but the first key can be usable. */
  ready: LoadLevels<PooledKey> | undefined;
  usableKeys = 0;
  standing: ProjectStanding = GOOD_STANDING;
  /** At most one per model. */
  lanes: readonly Lane[] = NONE;
  rosterIndex = -1;
  isTrialDue = false;
  trial = NO_TRIAL;
  changedAt = 0;
  alarmAtMs = 0;
  alarmIndex = -1;

  constructor(id: ProjectId, label: string | undefined, ownerId: KeyId) {
    super();
    this.value = this;
    this.id = id;
    this.label = label;
    this.ownerId = ownerId;
  }

  get name(): string {
    return this.label ?? ownProjectName(this.ownerId);
  }

  get isUsable(): boolean {
    return this.usableKeys > 0 && this.standing.kind === "good";
  }

  addKey(key: PooledKey): void {
    // An array that is made of one item has room for one; one that was empty makes room for seventeen.
    if (this.keys.length === 0) this.keys = [key];
    else this.keys.push(key);
  }

  /** Puts a usable key last among the ready ones with the same load. */
  seatReady(key: PooledKey): void {
    if (this.ready !== undefined) return this.ready.put(key, key.inFlight);
    if (this.keys.length <= 1) return;
    this.ready = new LoadLevels<PooledKey>();
    for (const each of this.keys) if (each.isUsable) this.ready.put(each, each.inFlight);
  }

  /** The accepted usable key with the least in flight, longest unused first. One step for each key refused. */
  leastReady(isAccepted: (key: PooledKey) => boolean): PooledKey | undefined {
    if (this.ready !== undefined) return this.ready.least(isAccepted);
    const only = this.keys[0];
    return only?.isUsable === true && isAccepted(only) ? only : undefined;
  }
}

/** Name of the project that a key without a stated project is. */
export function ownProjectName(id: KeyId): string {
  return `${OWN_PREFIX}${id}`;
}

/** The key whose own project has this name; undefined when it is not such a name. */
export function ownerNamed(name: string): KeyId | undefined {
  const id = name.startsWith(OWN_PREFIX) ? Number(name.slice(OWN_PREFIX.length)) : Number.NaN;
  return Number.isSafeInteger(id) && ownProjectName(id) === name ? id : undefined;
}

/** Where a lane stands for the choice: `open` can be lent, every other place says why not. */
export type LanePlace =
  /** Its project cannot serve. */
  | "away"
  | "open"
  /** Works, with as many uses in flight as allowed. */
  | "full"
  /** Works, and has used up what it may for now. */
  | "paced"
  | "overloaded"
  | "quota-minute"
  | "quota-day"
  | "unavailable";

/** One project on one model. Its own link: in the one queue that its place calls for. */
export class Lane extends Link<Lane> implements TrialSubject {
  readonly project: Project;
  readonly model: Model;
  state: LaneState = UNTRIED_LANE;
  /** Its limits and what was used of them; undefined until it was lent. */
  quota: LaneQuota | undefined;
  /** When there is room within its limits again, milliseconds since the epoch; 0 when there is. */
  pacedUntilMs = 0;
  /** Uses lent and not ended. */
  inFlight = 0;
  /** Milliseconds since the epoch, 0 for never. */
  lastServedMs = 0;
  /** `lastServedMs` as last handed out for storing. */
  storedServedMs = 0;
  /** The model's epoch in which the lane last proved itself. */
  proofEpoch = -1;
  /** Undefined until the model has seated it. */
  place: LanePlace | undefined;
  /** Usable keys of the project when it was seated: its share in the model's census. */
  keysCounted = 0;
  isTrialDue = false;
  trial = NO_TRIAL;
  changedAt = 0;
  alarmAtMs = 0;
  alarmIndex = -1;
  /** Among the model's open lanes that ever served, most recent success first. */
  readonly byProof: Link<Lane> = new Link<Lane>(this);
  /** Newest of its leases in force; the others follow by `older`. */
  newestLease: LentLease | undefined;

  /** Among the model's returns while it rests and will open by itself; undefined until it rests for the first time. */
  rest: LaneRest | undefined;

  constructor(project: Project, model: Model) {
    super();
    this.value = this;
    this.project = project;
    this.model = model;
  }
}

/** A lane's entry among the returns of its model, apart from its alarm: a trial falls due before a rest ends. */
export interface LaneRest extends Alarmed {
  readonly lane: Lane;
}

/** How many lanes stand in a place, and the usable keys of their projects. */
export interface PlaceCount {
  lanes: number;
  keys: number;
}

/** Lanes over all models; shared by them. */
export interface LaneCount {
  total: number;
}

/** One model that was asked for, with the queues of its lanes. */
export class Model {
  readonly name: string;
  readonly lanes = new Map<Project, Lane>();
  /** Walks over projects this model has never tried. */
  readonly cursor: RosterCursor;
  readonly alarms = new Alarms<Lane>();
  /** When the lanes that rest open by themselves: what is promised to those who are told to come back. */
  readonly returns = new Alarms<LaneRest>();
  readonly wariness = new Wariness();
  readonly bursts = new Bursts();
  readonly census: Readonly<Record<LanePlace, PlaceCount>> = emptyCensus();
  /** Milliseconds since the epoch. */
  lastAskedMs = 0;
  /** Uses in flight over all lanes. */
  inFlight = 0;
  /** Some lane of it has served a request. */
  hasServed = false;
  /** First attempts lent so far; decides which of them explore. */
  firstAttempts = 0;

  /** Open lanes that proved themselves in this epoch. */
  readonly trusted = new LoadLevels<Lane>();
  /** Open lanes that proved themselves before a storm of failures, and not since. */
  readonly doubted = new LoadLevels<Lane>();
  /** Open lanes that were lent once and proved nothing. */
  readonly untried = new LoadLevels<Lane>();
  /** Open lanes that ever served, most recent success first. */
  readonly byProof = new Link<Lane>();
  /** Lanes resting for an overload without a trial out, longest resting first. */
  readonly overloaded = new Link<Lane>();
  /** Lanes whose trial is due and not out. */
  readonly dueTrials = new Link<Lane>();
  /** Limits of its lanes that the operator configured. */
  readonly configured: QuotaLimits;
  /** Input tokens of a request, a running mean; 0 until one was counted. */
  typicalTokens = 0;
  /** Some lane of it has had a limit: what is known is worth keeping. */
  hasLimits = false;
  /** Storms so far: a lane that proved itself in this one is trusted. */
  epoch = 0;
  readonly laneCount: LaneCount;
  /** Most uses in flight per lane; infinite when there is no limit. */
  readonly concurrencyMax: number;

  constructor(
    name: string,
    cursor: RosterCursor,
    laneCount: LaneCount,
    concurrencyMax: number,
    configured: QuotaLimits,
  ) {
    this.name = name;
    this.configured = configured;
    this.cursor = cursor;
    this.laneCount = laneCount;
    this.concurrencyMax = concurrencyMax > 0 ? concurrencyMax : Number.POSITIVE_INFINITY;
  }
}

/** A lease in force, as its lender remembers it. */
export interface LentLease {
  readonly id: LeaseId;
  readonly holder: HolderId;
  readonly key: PooledKey;
  readonly lane: Lane;
  /** Number of the last change of state when it was lent. */
  readonly lentAt: number;
  /** After this moment no use may be started, milliseconds since the epoch. */
  readonly untilMs: number;
  /** Ends with its use, or as soon as that has proved what it tried. */
  isTrial: boolean;
  /** What each of its uses was charged to the lane's quota. */
  readonly charge: Charge;
  /** Uses lent in all. */
  lent: number;
  /** Uses not yet ended, 1..`lent`. */
  outstanding: number;
  /** Its holder has been told to give back what it has not started. */
  isRevoked: boolean;
  older: LentLease | undefined;
  newer: LentLease | undefined;
}

function emptyCensus(): Record<LanePlace, PlaceCount> {
  const none = (): PlaceCount => ({ lanes: 0, keys: 0 });
  return {
    away: none(),
    open: none(),
    full: none(),
    paced: none(),
    overloaded: none(),
    "quota-minute": none(),
    "quota-day": none(),
    unavailable: none(),
  };
}
