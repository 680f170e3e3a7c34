/**
 * Reckons for every model how likely an anonymous request is refused, and tells the workers what changed. Primary
 * thread. Called at the primary's tick: no more messages than ticks, however fast keys come and go.
 */
import { type BreakerThresholds, refusalProbability } from "@gemini-gateway/core/limits/breaker";
import type { ModelHealth } from "@gemini-gateway/core/scheduler/views";
import type { BreakerNotice, GuardToWorker } from "../../limits/messages.ts";

export interface BreakerWatchOptions {
  readonly thresholds: () => BreakerThresholds;
  readonly healths: () => Iterable<ModelHealth>;
  /** When the next key of the model is expected back, milliseconds since the epoch; undefined when nobody knows. */
  readonly returnAtMs: (model: string) => number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly publish: (message: GuardToWorker) => void;
}

/** Smaller changes are not worth a message, except for the last step to 0 or 1. */
const STEP = 0.01;
/** Where only some are refused another try soon is worth it; where all are, not before the next key is back. */
const RETRY_SOON_MS = 5_000;
const RETRY_UNKNOWN_MS = 30_000;
const RETRY_MAX_MS = 60_000;

export class BreakerWatch {
  readonly #options: BreakerWatchOptions;
  /** What the workers know: models with a probability above 0. As many as the scheduler remembers at most. */
  readonly #told = new Map<string, BreakerNotice>();

  constructor(options: BreakerWatchOptions) {
    this.#options = options;
  }

  /** Models of which some requests are refused now. */
  notices(): readonly BreakerNotice[] {
    return [...this.#told.values()];
  }

  tick(): void {
    const changed: BreakerNotice[] = [];
    const unseen = new Set(this.#told.keys());
    const thresholds = this.#options.thresholds();
    for (const { model, healthyKeys, keys } of this.#options.healths()) {
      unseen.delete(model);
      const refusal = refusalProbability(healthyKeys, keys, thresholds);
      if (isNews(this.#told.get(model)?.refusal ?? 0, refusal)) changed.push(this.#notice(model, refusal));
    }
    for (const lane of unseen) changed.push(closedFor(lane));
    if (changed.length === 0) return;
    for (const notice of changed) {
      if (notice.refusal > 0) this.#told.set(notice.lane, notice);
      else this.#told.delete(notice.lane);
    }
    this.#options.publish({ type: "breaker.changed", lanes: changed });
  }

  #notice(lane: string, refusal: number): BreakerNotice {
    if (refusal === 0) return closedFor(lane);
    if (refusal < 1) return { lane, refusal, retryAfterMs: RETRY_SOON_MS };
    const { returnAtMs, now } = this.#options;
    const atMs = returnAtMs(lane);
    const waitMs = atMs === undefined ? RETRY_UNKNOWN_MS : atMs - now();
    return { lane, refusal, retryAfterMs: Math.min(RETRY_MAX_MS, Math.max(RETRY_SOON_MS, waitMs)) };
  }
}

function closedFor(lane: string): BreakerNotice {
  return { lane, refusal: 0, retryAfterMs: 0 };
}

function isNews(told: number, present: number): boolean {
  if (told === present) return false;
  return present === 0 || present === 1 || told === 0 || Math.abs(told - present) >= STEP;
}
