/**
 * Which key the next use goes to. Part of the scheduler, primary thread; reads the queues, changes only cursors.
 * Every choice takes a bounded number of steps, however many keys there are: queues are kept in order as things
 * happen, and the only items passed over are those the request itself has tried.
 */
import type { KeyPool } from "./key-pool.ts";
import { append, firstOf } from "./link.ts";
import type { Link } from "./link.ts";
import type { LoadLevels } from "./load-levels.ts";
import { PLENTY_LANES } from "./options.ts";
import { NO_TRIAL } from "./records.ts";
import type { Lane, Model, PooledKey } from "./records.ts";
import { isFit, isTrusted, laneOf } from "./seating.ts";
import type { Wanted } from "./wanted.ts";
import type { Load } from "./wariness.ts";

export interface Choice {
  readonly lane: Lane;
  readonly key: PooledKey;
  /** The use tries something out of service: it is lent alone, and once at a time. */
  readonly isTrial: boolean;
}

/** Due trials that are looked at in one choice; those that do not fit this model go to the end of their queue. */
const TRIALS_SEEN_MAX = 8;
/** Lanes that served last among which a retry looks for an idle one. */
const RECENT_SEEN_MAX = 8;

/**
 * Chooses for a first attempt whose turn it is to find something out, the `count`-th of its model: whether something out of
 * service is back, or what a lane is worth that nothing is known of. Undefined for all others, and when there is nothing to
 * find out. `mayGrow` allows lanes of projects never tried for this model.
 */
export function chooseToFindOut(
  model: Model,
  pool: KeyPool,
  wanted: Wanted,
  { mayGrow, count }: { readonly mayGrow: boolean; readonly count: number },
): Choice | undefined {
  switch (model.wariness.turn(count, loadOf(model))) {
    case "trial":
      return dueTrial(model, pool);
    case "explore":
      return explore(model, pool, wanted, mayGrow);
    case "serve":
      return undefined;
  }
}

/** Chooses what serves a first attempt best. Undefined when nothing can be lent. */
export function chooseToServe(
  model: Model,
  pool: KeyPool,
  wanted: Wanted,
  mayGrow: boolean,
): Choice | undefined {
  return (
    (model.wariness.isWary ? warily(model, pool, wanted, mayGrow) : calmly(model, pool, wanted, mayGrow)) ??
    dueTrial(model, pool) ??
    outageTrial(model)
  );
}

/**
 * Chooses for a retry: the lane proven most recently, so that a storm of failures settles fast; then one never tried.
 * Never a trial: the request has failed once already.
 */
export function chooseRetry(
  model: Model,
  pool: KeyPool,
  wanted: Wanted,
  mayGrow: boolean,
): Choice | undefined {
  return (
    use(provenLast(model, wanted), wanted) ??
    (mayGrow ? neverTried(model, pool, wanted) : undefined) ??
    use(leastOf(model.untried, wanted), wanted)
  );
}

/** At high load, in calm times, with many lanes to choose from: whoever else wants a key finds others. */
export function hasPlenty({ bursts, wariness, census }: Model): boolean {
  return bursts.uses > 1 && !wariness.isWary && census.open.lanes >= PLENTY_LANES;
}

function loadOf(model: Model): Load {
  if (!hasPlenty(model)) return "usual";
  return model.bursts.isRush ? "rush" : "busy";
}

/** A storm is on, and no open lane has proved itself since it began. */
export function isInDoubt(model: Model): boolean {
  return model.wariness.isWary && model.trusted.least(accept) === undefined;
}

/** Calm times: any lane that ever worked, evenly; and projects never tried when all those are at work. */
function calmly(model: Model, pool: KeyPool, wanted: Wanted, mayGrow: boolean): Choice | undefined {
  const known = lessLoaded(leastOf(model.doubted, wanted), leastOf(model.trusted, wanted));
  if (known !== undefined && known.inFlight === 0) return use(known, wanted);
  return (
    unproven(model, pool, wanted, mayGrow) ??
    use(known, wanted) ??
    use(leastOf(model.untried, wanted), wanted)
  );
}

/** In a storm: what proved itself since it began, else what proved itself last, else whatever is left. */
function warily(model: Model, pool: KeyPool, wanted: Wanted, mayGrow: boolean): Choice | undefined {
  return (
    use(leastOf(model.trusted, wanted), wanted) ??
    use(provenLast(model, wanted), wanted) ??
    unproven(model, pool, wanted, mayGrow) ??
    use(leastOf(model.untried, wanted), wanted)
  );
}

/**
 * The lane that served last. In doubt an idle one among the last few, since many requests at once would otherwise all
 * fail on the same lane; one that proved itself in the present storm is not in doubt.
 */
function provenLast(model: Model, wanted: Wanted): Lane | undefined {
  const isServing = (lane: Lane): boolean => wanted.accepts(lane);
  const last = firstOf(model.byProof, isServing);
  if (last === undefined || last.inFlight === 0) return last;
  if (model.wariness.isWary && isTrusted(last)) return last;
  let left = RECENT_SEEN_MAX;
  const idle = firstOf(model.byProof, (lane) => left-- <= 0 || (lane.inFlight === 0 && isServing(lane)));
  if (idle !== undefined && idle.inFlight === 0 && isServing(idle)) return idle;
  return lessLoaded(leastOf(model.doubted, wanted), leastOf(model.trusted, wanted));
}

/** A share of first attempts finds out about lanes nothing is known of. Only idle ones: one use tells as much as ten. */
function explore(model: Model, pool: KeyPool, wanted: Wanted, mayGrow: boolean): Choice | undefined {
  const doubted = model.wariness.isWary ? leastOf(model.doubted, wanted) : undefined;
  if (doubted !== undefined && doubted.inFlight === 0) return use(doubted, wanted);
  return unproven(model, pool, wanted, mayGrow);
}

function unproven(model: Model, pool: KeyPool, wanted: Wanted, mayGrow: boolean): Choice | undefined {
  const fresh = mayGrow ? neverTried(model, pool, wanted) : undefined;
  if (fresh !== undefined) return fresh;
  const idle = leastOf(model.untried, wanted);
  return idle !== undefined && idle.inFlight === 0 ? use(idle, wanted) : undefined;
}

/** Walks on to the next project that this model has never met. */
function neverTried(model: Model, pool: KeyPool, wanted: Wanted): Choice | undefined {
  for (;;) {
    const project = pool.roster.next(model.cursor);
    if (project === undefined) return undefined;
    if (model.lanes.has(project)) continue;
    const lane = laneOf(model, project);
    if (wanted.accepts(lane)) return use(lane, wanted);
  }
}

/** The one use that finds out whether something out of service is back: a lane of this model, a project or a key. */
function dueTrial(model: Model, pool: KeyPool): Choice | undefined {
  const lane = model.dueTrials.next.value;
  const key = lane?.project.leastReady(accept);
  if (lane !== undefined && key !== undefined) return { lane, key, isTrial: true };
  if (pool.areTrialsTests) return undefined;
  return projectTrial(model, pool) ?? keyTrial(model, pool);
}

function projectTrial(model: Model, pool: KeyPool): Choice | undefined {
  return rotate(pool.dueProjects, (project) => trialOf(laneOf(model, project), project.leastReady(accept)));
}

function keyTrial(model: Model, pool: KeyPool): Choice | undefined {
  return rotate(pool.dueKeys, (key) => {
    const { project } = key;
    // One use may try a key and its project together, when no other key could try the project.
    const isProjectTriable = project.isTrialDue && project.trial === NO_TRIAL;
    if (project.standing.kind !== "good" && !isProjectTriable) return undefined;
    return trialOf(laneOf(model, project), key);
  });
}

/** Every lane is overloaded: the upstream is, and one use per lane may find out when it is over. */
function outageTrial(model: Model): Choice | undefined {
  const lane = model.overloaded.next.value;
  return lane === undefined
    ? undefined
    : { lane, key: lane.project.leastReady(accept) as PooledKey, isTrial: true };
}

/** The first choice among the next few items; an item that does not fit goes to the end. */
function rotate<T extends Link<T>>(
  head: Link<T>,
  choose: (item: T) => Choice | undefined,
): Choice | undefined {
  for (let seen = 0; seen < TRIALS_SEEN_MAX; seen++) {
    const item = head.next.value;
    if (item === undefined) return undefined;
    const choice = choose(item);
    if (choice !== undefined) return choice;
    append(head, item);
  }
  return undefined;
}

function use(lane: Lane | undefined, wanted: Wanted): Choice | undefined {
  if (lane === undefined || !wanted.hasRoom(lane)) return undefined;
  const key = wanted.keyOf(lane);
  return key === undefined ? undefined : { lane, key, isTrial: false };
}

function leastOf(levels: LoadLevels<Lane>, wanted: Wanted): Lane | undefined {
  return levels.least((lane) => wanted.accepts(lane));
}

/** A trial of a key or a project, on a lane that would work if they did. */
function trialOf(lane: Lane, key: PooledKey | undefined): Choice | undefined {
  return key === undefined || !isFit(lane) ? undefined : { lane, key, isTrial: true };
}

function lessLoaded(older: Lane | undefined, newer: Lane | undefined): Lane | undefined {
  if (older === undefined || newer === undefined) return older ?? newer;
  return newer.inFlight < older.inFlight ? newer : older;
}

function accept(): boolean {
  return true;
}
