/**
 * The lanes of one model: where each stands (its place), in which queue it waits, and how many stand where.
 * Part of the scheduler, primary thread. Every change of a lane goes through {@link ModelLanes.reseat}, the only place
 * that links and counts lanes.
 */
import { isLaneOpen, laneAlarmMs } from "../lane.ts";
import { Alarms } from "./alarms.ts";
import { Link, append, prepend, unlink } from "./link.ts";
import { LoadLevels } from "./load-levels.ts";
import { Lane, NO_TRIAL } from "./records.ts";
import type { LanePlace, Project } from "./records.ts";
import type { RosterCursor } from "./roster.ts";
import { Wariness } from "./wariness.ts";

/** How many lanes stand in a place, and the usable keys of their projects. */
export interface PlaceCount {
  lanes: number;
  keys: number;
}

/** Lanes over all models; shared by them. */
export interface LaneCount {
  total: number;
}

export class ModelLanes {
  readonly name: string;
  readonly lanes = new Map<Project, Lane>();
  /** Walks over projects this model has never tried. */
  readonly cursor: RosterCursor;
  readonly alarms = new Alarms<Lane>();
  readonly wariness = new Wariness();
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
  /** Lanes resting for an overload without a trial out, soonest rested first. */
  readonly overloaded = new Link<Lane>();
  /** Lanes whose trial is due and not out. */
  readonly dueTrials = new Link<Lane>();
  #epoch = 0;
  readonly #laneCount: LaneCount;
  readonly #concurrencyMax: number;

  constructor(name: string, cursor: RosterCursor, laneCount: LaneCount, concurrencyMax: number) {
    this.name = name;
    this.cursor = cursor;
    this.#laneCount = laneCount;
    this.#concurrencyMax = concurrencyMax > 0 ? concurrencyMax : Number.POSITIVE_INFINITY;
  }

  /** The project's lane, made and seated when there is none yet. */
  laneOf(project: Project): Lane {
    const known = this.lanes.get(project);
    if (known !== undefined) return known;
    const lane = new Lane(project, this);
    this.lanes.set(project, lane);
    project.lanes.push(lane);
    this.#laneCount.total++;
    this.reseat(lane);
    return lane;
  }

  /** Forgets the lane. Only when nothing of it is in flight. */
  drop(lane: Lane): void {
    this.#unseat(lane);
    this.alarms.set(lane, undefined);
    if (this.lanes.delete(lane.project)) this.#laneCount.total--;
    const index = lane.project.lanes.indexOf(lane);
    if (index >= 0) lane.project.lanes.splice(index, 1);
  }

  /** Puts the lane where its state, its load and its project say. */
  reseat(lane: Lane): void {
    this.#unseat(lane);
    const place = this.#placeOf(lane);
    const count = this.census[place];
    lane.place = place;
    lane.keysCounted = lane.project.usableKeys;
    count.lanes++;
    count.keys += lane.keysCounted;
    this.#queue(lane, place);
  }

  /** Sets the alarm that the lane's state calls for. */
  setAlarm(lane: Lane): void {
    this.alarms.set(lane, laneAlarmMs(lane.state, lane.isTrialDue));
  }

  /** The number in flight changed: cheap when the lane stays where it is. */
  loadChanged(lane: Lane): void {
    const isFull = lane.inFlight >= this.#concurrencyMax;
    if (lane.place === "open" && !isFull) return this.#levelsOf(lane).put(lane.seat, lane.inFlight);
    if (lane.place === "open" || (lane.place === "full" && !isFull)) this.reseat(lane);
  }

  /** The lane has just served or come back from a rest with a stated end: both are reasons to trust it. */
  trust(lane: Lane): void {
    lane.proofEpoch = this.#epoch;
  }

  /** A success, newly proven or not: it stands first for retries, and no longer in doubt. */
  served(lane: Lane): void {
    this.hasServed = true;
    if (lane.place !== "open") return;
    if (lane.proofEpoch !== this.#epoch) {
      this.trust(lane);
      this.trusted.put(lane.seat, lane.inFlight);
    }
    prepend(this.byProof, lane.byProof);
  }

  isTrusted(lane: Lane): boolean {
    return lane.proofEpoch === this.#epoch;
  }

  /** A storm began: what was proven before it counts as doubted from here on. O(1) in the number of lanes. */
  doubtAll(): void {
    this.doubted.absorb(this.trusted);
    this.#epoch++;
  }

  /** True while the lane could serve if its project can. */
  isFit(lane: Lane): boolean {
    return isLaneOpen(lane.state) && lane.inFlight < this.#concurrencyMax;
  }

  #placeOf(lane: Lane): LanePlace {
    if (!lane.project.isUsable) return "away";
    switch (lane.state.kind) {
      case "untried":
      case "proven":
      case "recovering":
        return lane.inFlight >= this.#concurrencyMax ? "full" : "open";
      case "overloaded":
      case "quota-minute":
      case "quota-day":
      case "unavailable":
        return lane.state.kind;
    }
  }

  #queue(lane: Lane, place: LanePlace): void {
    switch (place) {
      case "open":
        this.#levelsOf(lane).put(lane.seat, lane.inFlight);
        if (lane.state.kind !== "untried") append(this.byProof, lane.byProof);
        return;
      case "overloaded":
        if (lane.trial === NO_TRIAL) append(this.overloaded, lane.seat);
        return;
      case "quota-day":
      case "unavailable":
        if (lane.isTrialDue && lane.trial === NO_TRIAL) append(this.dueTrials, lane.seat);
        return;
      case "away":
      case "full":
      case "quota-minute":
        return;
    }
  }

  #levelsOf(lane: Lane): LoadLevels<Lane> {
    if (lane.state.kind === "untried") return this.untried;
    return this.isTrusted(lane) ? this.trusted : this.doubted;
  }

  #unseat(lane: Lane): void {
    unlink(lane.seat);
    unlink(lane.byProof);
    if (lane.place === undefined) return;
    const count = this.census[lane.place];
    count.lanes--;
    count.keys -= lane.keysCounted;
    lane.place = undefined;
  }
}

function emptyCensus(): Record<LanePlace, PlaceCount> {
  const none = (): PlaceCount => ({ lanes: 0, keys: 0 });
  return {
    away: none(),
    open: none(),
    full: none(),
    overloaded: none(),
    "quota-minute": none(),
    "quota-day": none(),
    unavailable: none(),
  };
}
