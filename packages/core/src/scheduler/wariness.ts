/**
 * How much a model's lanes are to be believed: calm while most uses of them go well, wary in a storm of lanes that fail
 * for reasons of their own (exhausted, dead, closed). Part of the scheduler, primary thread; pure counting.
 *
 * Wary means: serve with what proved itself since the storm began, and let only a small share of requests find out
 * whether the others still work. A storm then costs that share and not a retry for every request.
 */

/** Failures ahead of successes at which a storm begins. */
const WARY_AT = 6;
/** The count at which it is over. */
const CALM_AT = 2;
/** More failures than this say nothing new: a storm can end. */
const SCORE_MAX = 10;

/** Of first attempts in calm times, one in so many explores a project not tried yet. */
const EXPLORE_EVERY_CALM = 4;
/** The same at high load while nothing is refused: those that are known suffice, and each use may be the one that fails. */
const EXPLORE_EVERY_BUSY = 16;
/** The same in a rush: as many a second as at a quarter of the load. Each is a lane to be made, and rows to be written. */
const EXPLORE_EVERY_RUSH = 64;
/** The same in a storm: its share of failing attempts stays under a tenth. */
const EXPLORE_EVERY_WARY = 16;
/** One first attempt in so many may be a trial of something out of service. */
const TRIAL_EVERY = 16;

/**
 * How much there is to do. `busy`: lanes are plenty at high load, and none has refused anything for its minute's quota
 * lately; `rush`: the same at several times that load.
 */
export type Load = "usual" | "busy" | "rush";

const EXPLORE_EVERY: Readonly<Record<Load, number>> = {
  usual: EXPLORE_EVERY_CALM,
  busy: EXPLORE_EVERY_BUSY,
  rush: EXPLORE_EVERY_RUSH,
};

export type Turn = "serve" | "explore" | "trial";

export class Wariness {
  #score = 0;
  #isWary = false;

  get isWary(): boolean {
    return this.#isWary;
  }

  /** An attempt failed for a reason of its lane, project or key. True when a storm has begun with it. */
  failed(): boolean {
    this.#score = Math.min(this.#score + 1, SCORE_MAX);
    if (this.#isWary || this.#score < WARY_AT) return false;
    this.#isWary = true;
    return true;
  }

  /**
   * An attempt succeeded. In a storm only lanes that had yet to prove themselves count: the few that carry it would
   * otherwise end it by themselves.
   */
  served(wasTrusted: boolean): void {
    if (this.#isWary && wasTrusted) return;
    this.#score = Math.max(this.#score - 1, 0);
    if (this.#score <= CALM_AT) this.#isWary = false;
  }

  /** What the `count`-th first attempt is for. Turns of different kinds never fall on the same count. */
  turn(count: number, load: Load): Turn {
    if (count % TRIAL_EVERY === TRIAL_EVERY - 1) return "trial";
    const every = this.#isWary ? EXPLORE_EVERY_WARY : EXPLORE_EVERY[load];
    return count % every === every / 2 ? "explore" : "serve";
  }
}
