/**
 * Everything the scheduler remembers, and the ways in which a key, a project or a lane changes: each applies the pure
 * state machine, then puts the record into the queues its new state calls for. Part of the scheduler, primary thread.
 */
import { isKeyUsable, keyHealthAfter } from "../key-health.ts";
import type { KeyEvent, KeyHealth } from "../key-health.ts";
import { isLaneOpen, laneAfter } from "../lane.ts";
import type { LaneEvent, LaneState } from "../lane.ts";
import { projectStandingAfter } from "../project-standing.ts";
import type { ProjectEvent, ProjectStanding } from "../project-standing.ts";
import type { TransitionContext } from "../rests.ts";
import type { QuotaDay } from "../quota/lane-quota.ts";
import { KeyPool } from "./key-pool.ts";
import { LeaseBook } from "./lease-book.ts";
import { ModelShelf } from "./model-shelf.ts";
import type { SchedulerOptions } from "./options.ts";
import type { Lane, PooledKey, Project } from "./records.ts";
import { dropLane, reseat, setLaneAlarm, trust } from "./seating.ts";

export class Ledger {
  readonly options: SchedulerOptions;
  readonly pool = new KeyPool();
  readonly shelf: ModelShelf;
  readonly book = new LeaseBook();
  readonly dirtyKeys = new Set<PooledKey>();
  readonly dirtyLanes = new Set<Lane>();
  /** Numbers the changes of state that matter, so that a lease can be told to be older than one. */
  changes = 0;
  /** The first moment of this run, milliseconds since the epoch. */
  startedAtMs = 0;
  readonly #random: () => number;
  #day: QuotaDay = { number: 0, endsAtMs: 0 };

  constructor(options: SchedulerOptions, random: () => number) {
    this.options = options;
    this.#random = random;
    this.shelf = new ModelShelf(this.pool, options.projectConcurrencyMax, options.quotas ?? new Map());
  }

  context(nowMs: number): TransitionContext {
    return { nowMs, rests: this.options.rests, random: this.#random };
  }

  /** The day for which quotas of the day count. */
  dayAt(nowMs: number): QuotaDay {
    if (nowMs < this.#day.endsAtMs) return this.#day;
    this.#day = { ...this.#day, number: this.#day.number + 1 };
    return this.askDayEnd(nowMs);
  }

  /** The same day, with its end asked for anew. */
  askDayEnd(nowMs: number): QuotaDay {
    const endsAtMs = (this.options.quotaDayEndMs ?? utcDayEndMs)(nowMs);
    this.#day = { ...this.#day, endsAtMs };
    return this.#day;
  }

  /** Feeds an event to the key. True when its state changed. */
  keyEvent(key: PooledKey, event: KeyEvent, context: TransitionContext): boolean {
    if (key.isRetired) return false;
    const next = keyHealthAfter(key.health, event, context);
    if (next === key.health) return false;
    this.setKeyHealth(key, next);
    return true;
  }

  /** Feeds an event to the project. True when its state changed. */
  projectEvent(project: Project, event: ProjectEvent, context: TransitionContext): boolean {
    if (project.keys.length === 0) return false;
    const next = projectStandingAfter(project.standing, event, context);
    if (next === project.standing) return false;
    this.setStanding(project, next);
    return true;
  }

  /** Feeds an event to the lane. True when its state changed. */
  laneEvent(lane: Lane, event: LaneEvent, context: TransitionContext): boolean {
    const next = laneAfter(lane.state, event, context);
    if (next === lane.state) return false;
    this.setLaneState(lane, next);
    return true;
  }

  setKeyHealth(key: PooledKey, health: KeyHealth): void {
    const wasUsable = key.isUsable;
    if (!isKeyUsable(health) || !isKeyUsable(key.health)) key.changedAt = ++this.changes;
    key.health = health;
    key.isTrialDue = false;
    this.pool.alarms.set(key, "trialAtMs" in health ? health.trialAtMs : undefined);
    this.pool.keyChanged(key, wasUsable);
    this.dirtyKeys.add(key);
  }

  setStanding(project: Project, standing: ProjectStanding): void {
    this.pool.countStanding(project, -1);
    project.standing = standing;
    this.pool.countStanding(project, 1);
    project.changedAt = ++this.changes;
    project.isTrialDue = false;
    this.pool.alarms.set(project, "trialAtMs" in standing ? standing.trialAtMs : undefined);
    this.pool.seatProject(project);
    for (const lane of project.lanes) reseat(lane);
    for (const key of project.keys) this.dirtyKeys.add(key);
  }

  setLaneState(lane: Lane, state: LaneState): void {
    const isRestOver = state.kind === "recovering";
    // The end of a rest is no news of its own: what was lent before the rest stays old news after it.
    if (!isRestOver && !(isLaneOpen(lane.state) && isLaneOpen(state))) lane.changedAt = ++this.changes;
    lane.state = state;
    lane.isTrialDue = false;
    if (state.kind === "proven" || isRestOver) trust(lane);
    setLaneAlarm(lane);
    reseat(lane);
    this.dirtyLanes.add(lane);
  }

  /** Forgets a lane that nothing refers to any more: its project is gone and its last use has ended. */
  dropIfGone(lane: Lane): void {
    if (lane.project.keys.length > 0 || lane.inFlight > 0) return;
    this.dirtyLanes.delete(lane);
    dropLane(lane);
  }
}

const DAY_MS = 86_400_000;

function utcDayEndMs(nowMs: number): number {
  return (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS;
}
