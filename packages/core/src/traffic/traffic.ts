/**
 * What went through the gateway, by model: since its start, and in the last half hour. Pure; the primary feeds it every
 * row of the request log. Names of models come from callers, who may send any: all of it is bounded.
 */
import { type EndedRequest, Tally } from "./tally.ts";

/** Length of the window that "recent" means, milliseconds. */
export const RECENT_MS = 30 * 60_000;
const SLOT_MS = 60_000;
const SLOTS = RECENT_MS / SLOT_MS;

/** Models with counts of their own: the first that got a request served. A made-up name never gets there. */
export const MODELS_MAX = 100;
/** Other names with counts of their own, in each minute. */
const STRANGERS_MAX = 32;
/** Stands for all models beyond those. */
export const OTHER_MODELS = "other";
/** Stands for requests that name no model, such as uploads. */
export const NO_MODEL = "none";

interface Slot {
  readonly startMs: number;
  readonly byModel: Map<string, Tally>;
  strangers: number;
}

export type Tallies = ReadonlyMap<string, Tally>;

export class Traffic {
  readonly #known = new Set<string>();
  readonly #sinceStart = new Map<string, Tally>();
  readonly #slots: Slot[] = [];

  /** Counts a request that ended at `nowMs`, milliseconds of a clock that does not go back. */
  record(request: EndedRequest, nowMs: number): void {
    const name = request.model === "" ? NO_MODEL : request.model;
    if (request.outcome === "served" && this.#known.size < MODELS_MAX) this.#known.add(name);
    tallyOf(this.#sinceStart, this.labelOf(request.model)).record(request);
    const slot = this.#slotAt(nowMs);
    tallyOf(slot.byModel, this.#recentName(slot, name)).record(request);
  }

  /** The name a model is counted under since the start; one of at most {@link MODELS_MAX} + 2. */
  labelOf(model: string): string {
    if (model === "") return NO_MODEL;
    return this.#known.has(model) ? model : OTHER_MODELS;
  }

  /** Counts since the start. The histograms in them are of no use to a reader who wants to know how it is now. */
  get sinceStart(): Tallies {
    return this.#sinceStart;
  }

  /** Counts of the last {@link RECENT_MS}, to the minute; the models with most requests first. */
  recent(nowMs: number): Tallies {
    const sum = new Map<string, Tally>();
    for (const { startMs, byModel } of this.#slots) {
      if (startMs <= nowMs - RECENT_MS) continue;
      for (const [name, tally] of byModel) tallyOf(sum, name).add(tally);
    }
    return new Map([...sum].toSorted(([, left], [, right]) => right.requests - left.requests));
  }

  #recentName(slot: Slot, name: string): string {
    if (name === NO_MODEL || this.#known.has(name) || slot.byModel.has(name)) return name;
    if (slot.strangers >= STRANGERS_MAX) return OTHER_MODELS;
    slot.strangers += 1;
    return name;
  }

  /** The slot of this minute. A clock that went back goes on in the latest one. */
  #slotAt(nowMs: number): Slot {
    const latest = this.#slots.at(-1);
    if (latest !== undefined && nowMs < latest.startMs + SLOT_MS) return latest;
    const slot = { startMs: nowMs - (nowMs % SLOT_MS), byModel: new Map<string, Tally>(), strangers: 0 };
    this.#slots.push(slot);
    // One more than the window has minutes: the oldest is on its way out.
    if (this.#slots.length > SLOTS + 1) this.#slots.shift();
    return slot;
  }
}

/** All of them together. */
export function sumOf(tallies: Tallies): Tally {
  const sum = new Tally();
  for (const tally of tallies.values()) sum.add(tally);
  return sum;
}

function tallyOf(tallies: Map<string, Tally>, name: string): Tally {
  let tally = tallies.get(name);
  if (tally === undefined) {
    tally = new Tally();
    tallies.set(name, tally);
  }
  return tally;
}
