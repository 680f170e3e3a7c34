/**
 * Keys and projects apart from any model: which are usable, which wait for their trial, and the roster of projects that
 * can serve. Part of the scheduler, primary thread.
 */
import { IdMap } from "../id-map.ts";
import type { KeyId } from "../lease.ts";
import { Alarms } from "./alarms.ts";
import { Link, append, unlink } from "./link.ts";
import { NO_TRIAL, ownerNamed, ownProjectName, PooledKey, Project } from "./records.ts";
import { Roster } from "./roster.ts";
import { reseat } from "./seating.ts";

export class KeyPool {
  readonly keys = new IdMap<PooledKey>();
  /** By their label; a project that is its key's own is found by the key. */
  readonly #labelled = new Map<string, Project>();
  readonly roster = new Roster<Project>();
  readonly alarms = new Alarms<PooledKey | Project>();
  /** Keys whose trial is due and not out. */
  readonly dueKeys = new Link<PooledKey>();
  /** Projects whose trial is due and not out. */
  readonly dueProjects = new Link<Project>();
  /** Keys that are enabled and healthy, in projects of good standing. */
  availableKeys = 0;
  enabledKeys = 0;
  /** Keys of projects that have a billing failure. */
  billingKeys = 0;
  /** Keys and projects out of service are tried by health tests, and by requests only when nobody tests them. */
  areTrialsTests = false;
  /** The next of those tests, milliseconds since the epoch; undefined when none is planned. */
  nextTestAtMs: number | undefined;
  /** Looks for a key of one project whose trial is due, so far. */
  dueLooks = 0;
  #projectsMade = 0;

  /** Adds the key; false when it is known already. */
  add(id: KeyId, projectName: string | undefined): boolean {
    if (this.keys.has(id)) return false;
    const key = new PooledKey(id, this.#projectFor(id, projectName));
    this.keys.set(id, key);
    this.enabledKeys++;
    this.#join(key);
    return true;
  }

  /** Takes the key out for good. Leases of it may still be in force. */
  remove(key: PooledKey): void {
    this.keys.delete(key.id);
    if (key.isEnabled) this.enabledKeys--;
    this.alarms.set(key, undefined);
    this.#part(key);
    key.isRetired = true;
  }

  /** Moves the key to another project; undefined makes it a project of its own again. */
  move(key: PooledKey, projectName: string | undefined): void {
    const name = projectName ?? ownProjectName(key.id);
    if (key.project.name === name) return;
    this.#part(key);
    key.project = this.#projectFor(key.id, name);
    this.#join(key);
  }

  setEnabled(key: PooledKey, isEnabled: boolean): void {
    if (key.isEnabled === isEnabled) return;
    const wasUsable = key.isUsable;
    key.isEnabled = isEnabled;
    this.enabledKeys += isEnabled ? 1 : -1;
    this.keyChanged(key, wasUsable);
  }

  /** To call after the key's health or its operator's wish changed, with what it was before. */
  keyChanged(key: PooledKey, wasUsable: boolean): void {
    const { project } = key;
    if (key.isUsable !== wasUsable) this.#countUsable(project, key.isUsable ? 1 : -1);
    this.seatKey(key);
  }

  /** Puts the key where its state says: among the ready ones, among the due trials, or nowhere. */
  seatKey(key: PooledKey): void {
    unlink(key);
    if (key.isUsable) key.project.seatReady(key);
    else if (key.isEnabled && !key.isRetired && key.isTrialDue && key.trial === NO_TRIAL)
      append(this.dueKeys, key);
  }

  /** The number in flight of the key changed. */
  loadChanged(key: PooledKey): void {
    if (key.isUsable) key.project.seatReady(key);
  }

  /** To call before the project's standing changes and again after, with the sign of its share in the counts. */
  countStanding(project: Project, sign: 1 | -1): void {
    if (project.standing.kind === "good") this.availableKeys += sign * project.usableKeys;
    if (project.standing.kind === "billing") this.billingKeys += sign * project.keys.length;
  }

  /** Puts the project where its standing says: in the roster, among the due trials, or nowhere. */
  seatProject(project: Project): void {
    unlink(project);
    if (project.isUsable) this.roster.add(project);
    else this.roster.remove(project);
    const isOut = project.standing.kind !== "good" && project.keys.length > 0;
    if (isOut && project.isTrialDue && project.trial === NO_TRIAL) append(this.dueProjects, project);
  }

  /** The project of this name; undefined when no key belongs to it. */
  projectNamed(name: string): Project | undefined {
    const labelled = this.#labelled.get(name);
    const ownerId = labelled === undefined ? ownerNamed(name) : undefined;
    if (ownerId === undefined) return labelled;
    const project = this.keys.get(ownerId)?.project;
    return project?.label === undefined ? project : undefined;
  }

  /** The project that the key is to be in, made when there is none yet. */
  #projectFor(id: KeyId, name: string | undefined): Project {
    if (name === undefined || name === ownProjectName(id))
      return new Project(++this.#projectsMade, undefined, id);
    let project = this.#labelled.get(name);
    if (project === undefined) {
      project = new Project(++this.#projectsMade, name, id);
      this.#labelled.set(name, project);
    }
    return project;
  }

  #join(key: PooledKey): void {
    const { project } = key;
    this.countStanding(project, -1);
    key.indexInProject = project.keys.length;
    project.addKey(key);
    this.countStanding(project, 1);
    if (key.isUsable) this.#countUsable(project, 1);
    this.seatKey(key);
  }

  #part(key: PooledKey): void {
    const { project } = key;
    const wasUsable = key.isUsable;
    unlink(key);
    this.countStanding(project, -1);
    const last = project.keys.pop() as PooledKey;
    if (last !== key) {
      project.keys[key.indexInProject] = last;
      last.indexInProject = key.indexInProject;
    }
    key.indexInProject = -1;
    this.countStanding(project, 1);
    if (wasUsable) this.#countUsable(project, -1);
    if (project.keys.length === 0) this.#dissolve(project);
  }

  #dissolve(project: Project): void {
    if (project.label !== undefined) this.#labelled.delete(project.label);
    this.alarms.set(project, undefined);
    this.seatProject(project);
  }

  #countUsable(project: Project, change: 1 | -1): void {
    this.countStanding(project, -1);
    project.usableKeys += change;
    this.countStanding(project, 1);
    this.seatProject(project);
    for (const lane of project.lanes) reseat(lane);
  }
}
