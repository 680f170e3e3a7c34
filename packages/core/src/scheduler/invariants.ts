/**
 * What must hold of the scheduler's memory between any two calls. For tests only: it walks over everything.
 */
import { isKeyUsable } from "../key-health.ts";
import { isLaneOpen } from "../lane.ts";
import type { Ledger } from "./ledger.ts";
import { LANES_MAX, MODELS_MAX } from "./options.ts";
import { NO_TRIAL } from "./records.ts";
import type { Lane, PooledKey, Project } from "./records.ts";

/** Throws an Error naming the first invariant that does not hold. */
export function checkLedger(ledger: Ledger): void {
  checkLeases(ledger);
  checkLanes(ledger);
  checkKeys(ledger);
}

function checkLeases({ book }: Ledger): void {
  const byLane = new Map<Lane, number>();
  const byKey = new Map<PooledKey, number>();
  const byHolder = new Map<number, number>();
  let outstanding = 0;
  for (const lease of book.leases.values()) {
    must(lease.outstanding >= 1 && lease.outstanding <= lease.lent, "a lease in force has uses outstanding");
    must(!lease.isTrial || lease.lent === 1, "a trial is a single use");
    outstanding += lease.outstanding;
    byLane.set(lease.lane, (byLane.get(lease.lane) ?? 0) + lease.outstanding);
    byKey.set(lease.key, (byKey.get(lease.key) ?? 0) + lease.outstanding);
    byHolder.set(lease.holder, (byHolder.get(lease.holder) ?? 0) + 1);
  }
  must(outstanding === book.outstanding, "lent = settled + returned + lost + outstanding");
  for (const [lane, uses] of byLane)
    must(lane.inFlight === uses, "a lane's uses in flight are those of its leases");
  for (const [key, uses] of byKey)
    must(key.inFlight === uses, "a key's uses in flight are those of its leases");
  for (const [holder, held] of book.holders) {
    must(held.size === byHolder.get(holder), "a holder holds the leases lent to it");
  }
  must(book.holders.size === byHolder.size, "no holder is remembered without leases");
}

function checkLanes({ shelf, book, options }: Ledger): void {
  let lanes = 0;
  must(shelf.models.size <= MODELS_MAX, "models are bounded");
  for (const model of shelf.models.values()) {
    const places = new Map<string, number>();
    let inFlight = 0;
    for (const lane of model.lanes.values()) {
      checkLane(lane, options.projectConcurrencyMax, book.leases.has(lane.trial));
      places.set(lane.place as string, (places.get(lane.place as string) ?? 0) + 1);
      inFlight += lane.inFlight;
    }
    for (const [place, count] of Object.entries(model.census)) {
      must(count.lanes === (places.get(place) ?? 0), `the census of ${place} counts the lanes there`);
    }
    must(inFlight === model.inFlight, "a model's uses in flight are those of its lanes");
    lanes += model.lanes.size;
  }
  must(lanes === shelf.laneCount.total && lanes <= LANES_MAX, "lanes are counted and bounded");
}

function checkLane(lane: Lane, concurrencyMax: number, isTrialOut: boolean): void {
  must(lane.inFlight >= 0, "uses in flight are never negative");
  must(concurrencyMax <= 0 || lane.inFlight <= concurrencyMax, "no lane is lent beyond its limit");
  must(lane.trial === NO_TRIAL || isTrialOut, "a trial that is out is a lease in force");
  const isOpen = lane.project.isUsable && isLaneOpen(lane.state);
  const isPlacedOpen = lane.place === "open" || lane.place === "full" || lane.place === "paced";
  must(isOpen === isPlacedOpen, "a lane stands where its state says");
  if (isOpen) must((lane.place === "paced") === lane.pacedUntilMs > 0, "a lane without room is paced");
  if (lane.place === "paced") must(lane.alarmIndex >= 0, "a paced lane comes back");
  if (lane.place === "open") must(lane.isLinked, "an open lane can be found");
  if (!isOpen && isLaneOpen(lane.state))
    must(lane.place === "away", "a lane of a project out of service is away");
  must(lane.keysCounted === lane.project.usableKeys, "a lane is counted with the usable keys of its project");
}

function checkKeys({ pool, book }: Ledger): void {
  const projects = new Set<Project>();
  let available = 0;
  let enabled = 0;
  for (const key of pool.keys.values()) {
    must(key.inFlight >= 0, "uses in flight are never negative");
    must(key.trial === NO_TRIAL || book.leases.has(key.trial), "a trial that is out is a lease in force");
    must(key.project.keys[key.indexInProject] === key, "a key stands in its project");
    if (key.isEnabled) enabled++;
    if (key.isUsable && key.project.standing.kind === "good") available++;
    const isFound = key.project.leastReady((each) => each === key) === key;
    must(isFound === key.isUsable, "exactly the usable keys can be found");
    projects.add(key.project);
    if (!isKeyUsable(key.health))
      must(key.isTrialDue || key.alarmIndex >= 0, "a key out of service comes back");
  }
  must(available === pool.availableKeys, "available keys are counted");
  must(enabled === pool.enabledKeys, "enabled keys are counted");
  const ids = new Set<number>();
  must(pool.roster.size <= projects.size, "the roster holds projects of the pool");
  for (const project of projects) {
    must(pool.projectNamed(project.name) === project, "a project is found by its name");
    must(!ids.has(project.id), "no two projects have the same number");
    ids.add(project.id);
    must(
      project.isUsable === project.rosterIndex >= 0,
      "the roster holds exactly the projects that can serve",
    );
  }
}

function must(holds: boolean, invariant: string): void {
  if (!holds) throw new Error(`invariant broken: ${invariant}`);
}
