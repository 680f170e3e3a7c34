/**
 * The models in memory, bounded: names come from clients, who may send any. Part of the scheduler, primary thread.
 */
import type { KeyPool } from "./key-pool.ts";
import { NO_LIMITS } from "../quota/quota-limits.ts";
import type { QuotaLimits } from "../quota/quota-limits.ts";
import {
  EVERY_MODEL,
  LANES_MAX,
  LIMITED_MODEL_IDLE_MS,
  MODELS_MAX,
  MODEL_IDLE_MS,
  MODEL_NAME_MAX,
} from "./options.ts";
import type { LaneCount } from "./records.ts";
import { Model } from "./records.ts";
import { dropLane } from "./seating.ts";

export class ModelShelf {
  readonly models = new Map<string, Model>();
  readonly laneCount: LaneCount = { total: 0 };
  readonly #pool: KeyPool;
  readonly #concurrencyMax: number;
  readonly #quotas: ReadonlyMap<string, QuotaLimits>;

  constructor(pool: KeyPool, concurrencyMax: number, quotas: ReadonlyMap<string, QuotaLimits>) {
    this.#pool = pool;
    this.#concurrencyMax = concurrencyMax;
    this.#quotas = quotas;
  }

  /** True while lanes may be made for projects that a model has not met. */
  get mayGrow(): boolean {
    return this.laneCount.total < LANES_MAX;
  }

  /** The model, remembered from now on; undefined when its name is too long or every remembered model is in use. */
  asked(name: string, nowMs: number): Model | undefined {
    const known = this.models.get(name);
    if (known !== undefined) {
      known.lastAskedMs = nowMs;
      return known;
    }
    if (name.length > MODEL_NAME_MAX) return undefined;
    if ((this.models.size >= MODELS_MAX || !this.mayGrow) && !this.#makeRoom()) return undefined;
    const cursor = this.#pool.roster.addCursor();
    const model = new Model(name, cursor, this.laneCount, this.#concurrencyMax, this.#configuredFor(name));
    model.lastAskedMs = nowMs;
    this.models.set(name, model);
    return model;
  }

  /** Forgets models that nobody asked for lately and that have nothing at rest or in flight. */
  dropIdle(nowMs: number): void {
    for (const model of this.models.values()) {
      const idleMs = model.hasLimits ? LIMITED_MODEL_IDLE_MS : MODEL_IDLE_MS;
      const isIdle = model.lastAskedMs + idleMs <= nowMs;
      if (isIdle && model.inFlight === 0 && model.alarms.size === 0) this.#drop(model);
    }
  }

  #configuredFor(name: string): QuotaLimits {
    const isWholeModel = name !== EVERY_MODEL && !name.includes(":");
    return this.#quotas.get(name) ?? (isWholeModel ? this.#quotas.get(EVERY_MODEL) : undefined) ?? NO_LIMITS;
  }

  /** Forgets one model not in use: rather one that never served anyone, then the one asked for longest ago. */
  #makeRoom(): boolean {
    let least: Model | undefined;
    for (const model of this.models.values()) {
      if (model.inFlight > 0) continue;
      if (least === undefined || isLessWorth(model, least)) least = model;
    }
    if (least !== undefined) this.#drop(least);
    return least !== undefined;
  }

  #drop(model: Model): void {
    this.models.delete(model.name);
    this.#pool.roster.dropCursor(model.cursor);
    for (const lane of model.lanes.values()) dropLane(lane);
  }
}

function isLessWorth(model: Model, other: Model): boolean {
  if (model.hasServed !== other.hasServed) return other.hasServed;
  return model.lastAskedMs < other.lastAskedMs;
}
