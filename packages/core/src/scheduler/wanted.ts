/**
 * What one wish asks of the key it gets: not one it has tried, and room for its tokens. Part of the scheduler, primary
 * thread; made for one choice or a few, and counts the lanes it had to pass over.
 */
import type { KeyId } from "../lease.ts";
import { MISFITS_SEEN_MAX } from "./options.ts";
import type { Lane, PooledKey, Project } from "./records.ts";

/** What a retry has tried already; small arrays. */
export interface Avoided {
  readonly keys: readonly KeyId[];
  readonly projects: readonly Project[];
}

/** When the lane has room for one use of so many tokens: milliseconds since the epoch, 0 for now. */
export type RoomAtMs = (lane: Lane, tokens: number) => number;

export const NOTHING_AVOIDED: Avoided = { keys: [], projects: [] };

export class Wanted {
  readonly avoided: Avoided;
  readonly #tokens: number | undefined;
  readonly #roomAtMs: RoomAtMs;
  #misfitsLeft = MISFITS_SEEN_MAX;
  #soonestMs: number | undefined;

  /** @param tokens of the request; undefined when nobody counted them. */
  constructor(avoided: Avoided, tokens: number | undefined, roomAtMs: RoomAtMs) {
    this.avoided = avoided;
    this.#tokens = tokens;
    this.#roomAtMs = roomAtMs;
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
    return canServe(lane, this.avoided) && (this.#misfitsLeft <= 0 || this.hasRoom(lane));
  }

  /** True when the request is within what the lane may still use of tokens. An open lane has room for a typical one. */
  hasRoom(lane: Lane): boolean {
    const isSized = lane.quota?.limits.tokensPerMinute !== undefined;
    if (!isSized || this.#tokens === undefined || this.#tokens <= lane.model.typicalTokens) return true;
    const atMs = this.#roomAtMs(lane, this.#tokens);
    if (atMs === 0) return true;
    this.#misfitsLeft--;
    this.#soonestMs = Math.min(this.#soonestMs ?? atMs, atMs);
    return false;
  }

  /** The least loaded key of the lane's project that was not tried. */
  keyOf(lane: Lane): PooledKey | undefined {
    return lane.project.ready.least((key) => !this.avoided.keys.includes(key.id));
  }
}

/** True when the lane's project has a key that the request has not tried. */
export function canServe(lane: Lane, { keys, projects }: Avoided): boolean {
  if (keys.length === 0) return true;
  if (projects.includes(lane.project)) return false;
  return lane.project.ready.least((key) => !keys.includes(key.id)) !== undefined;
}
