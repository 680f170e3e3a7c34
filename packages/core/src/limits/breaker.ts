/**
 * The breaker: while few keys of a model are healthy, they are kept for callers with an auth key, and a growing part
 * of the anonymous requests is refused. Pure: the primary thread reckons, the workers draw.
 */

/** A number of keys, or a part of the model's keys in 0..1. */
export type Threshold =
  | { readonly kind: "count"; readonly keys: number }
  | { readonly kind: "share"; readonly share: number };

export interface BreakerThresholds {
  /** With fewer healthy keys every anonymous request is refused. */
  readonly low: Threshold;
  /** With as many or more none is. Not below `low`. */
  readonly high: Threshold;
}

/** `30` or `20%`. */
export const THRESHOLD_PATTERN = /^(?:\d{1,6}|(?:100(?:\.0{1,3})?|\d{1,2}(?:\.\d{1,3})?)%)$/;

/** Reads `30` (keys) or `20%` (of the model's keys); undefined for anything else. */
export function parseThreshold(text: string): Threshold | undefined {
  if (!THRESHOLD_PATTERN.test(text)) return undefined;
  return text.endsWith("%")
    ? { kind: "share", share: Number(text.slice(0, -1)) / 100 }
    : { kind: "count", keys: Number(text) };
}

/**
 * The probability with which an anonymous request for the model is refused: 1 below `low`, 0 from `high` on, falling
 * linearly between.
 *
 * 0 when no key is healthy at all: then there is none to keep for anybody, every request is refused for want of a key
 * anyway, and the pool itself knows the true reason and time (a quota is a 429). The one request that a resting key is
 * tried with passes, without which a pool that serves only anonymous callers might never recover.
 * @param healthyKeys keys that could serve the model now, of `keys` that are to serve it
 */
export function refusalProbability(
  healthyKeys: number,
  keys: number,
  { low, high }: BreakerThresholds,
): number {
  const lowKeys = keysOf(low, keys);
  const highKeys = keysOf(high, keys);
  if (healthyKeys <= 0 || healthyKeys >= Math.max(lowKeys, highKeys)) return 0;
  return healthyKeys < lowKeys ? 1 : (highKeys - healthyKeys) / (highKeys - lowKeys);
}

/** Not rounded: of one key 20 % is less than the key, so a pool of one serves while its key does. */
function keysOf(threshold: Threshold, keys: number): number {
  return threshold.kind === "count" ? threshold.keys : threshold.share * keys;
}
