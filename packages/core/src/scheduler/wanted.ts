/**
 * What one wish asks of the key it gets: not one it has tried, and room for its tokens. Part of the scheduler, primary
 * thread; made for one choice or a few, and counts the lanes it had to pass over.
 */
import type { KeyId } from "../lease.ts";
import type { LaneQuota } from "../quota/lane-quota.ts";
import { MISFITS_SEEN_MAX, PLENTY_LANES } from "./options.ts";
import type { Lane, Model, PooledKey, Project } from "./records.ts";

/** What a retry has tried already; small arrays. */
export interface Avoided {
  readonly keys: readonly KeyId[];
  readonly projects: readonly Project[];
}

/** What is asked of a lane's quota. */
export interface QuotaView {
  /** When there is room for one use of so many tokens: milliseconds since the epoch, 0 for now. */
  roomAtMs(quota: LaneQuota, tokens: number): number;
  isAmple(quota: LaneQuota): boolean;
}

/** An open lane has room for a request of the typical size divided by this. */
const LEAST_PART = 4;

export const NOTHING_AVOIDED: Avoided = { keys: [], projects: [] };

export class Wanted {
  readonly avoided: Avoided;
  /** 0 when nobody counted them. */
  readonly tokens: number;
  /** Lanes passed over for want of room; at most {@link MISFITS_SEEN_MAX} and a few. */
  readonly misfits = new Set<Lane>();
  /** Nobody waits for the use yet: only where there is plenty. */
  isInAdvance = false;
  readonly #view: QuotaView;
  #soonestMs: number | undefined;

  /** @param tokens of the request; undefined when nobody counted them. */
  constructor(avoided: Avoided, tokens: number | undefined, view: QuotaView) {
    this.avoided = avoided;
    this.tokens = tokens ?? 0;
    this.#view = view;
  }

  /** When the first of the lanes passed over for want of room will have it; undefined when none was. */
  get soonestRoomMs(): number | undefined {
    return this.#soonestMs;
  }

  /**
   * True when the lane can serve this. Once too many had no room, true of any: the search ends there, and whoever takes
   * the lane must ask {@link hasRoom}.
   */
  accepts(lane: Lane): boolean {
    return canServe(lane, this.avoided) && (this.misfits.size >= MISFITS_SEEN_MAX || this.hasRoom(lane));
  }

  /** True when the request is within what the lane may still use. */
  hasRoom(lane: Lane): boolean {
    const { quota } = lane;
    if (quota === undefined || !quota.isLimited) return true;
    if (this.isInAdvance && !this.#maySpare(lane, quota)) return this.#passOver(lane);
    if (quota.limits.tokensPerMinute === undefined || this.tokens <= leastTokens(lane.model)) return true;
    const atMs = this.#view.roomAtMs(quota, this.tokens);
    if (atMs === 0) return true;
    this.#soonestMs = Math.min(this.#soonestMs ?? atMs, atMs);
    return this.#passOver(lane);
  }

  #maySpare({ model }: Lane, quota: LaneQuota): boolean {
    return model.census.open.lanes >= PLENTY_LANES || this.#view.isAmple(quota);
  }

  #passOver(lane: Lane): false {
    this.misfits.add(lane);
    return false;
  }

  /** The least loaded key of the lane's project that was not tried. */
  keyOf(lane: Lane): PooledKey | undefined {
    return lane.project.leastReady((key) => !this.avoided.keys.includes(key.id));
  }
}

/** True when the lane's project has a key that the request has not tried. */
export function canServe(lane: Lane, { keys, projects }: Avoided): boolean {
  if (keys.length === 0) return true;
  if (projects.includes(lane.project)) return false;
  return lane.project.leastReady((key) => !keys.includes(key.id)) !== undefined;
}

/** Tokens for which every open lane of the model has room: well below the typical request, so that small ones fill it. */
export function leastTokens({ typicalTokens }: Model): number {
  return typicalTokens / LEAST_PART;
}
