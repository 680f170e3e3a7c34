/**
 * How long it is worth remembering who owns a thing. Pure; the time comes in. Must never be shorter than Google keeps
 * the thing: an owner forgotten early costs refused calls on wrong projects, one remembered long a small row.
 */
import type { ResourceKind } from "./resource-name.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Lifetimes in milliseconds, for answers that state none; undefined: until it is deleted. Each with its source, "default"
 * where no document says anything.
 */
const LIFETIME_MS: Readonly<Record<ResourceKind, number | undefined>> = {
  // Files API: 48 h; generated videos: 2 days.
  file: 48 * HOUR_MS,
  // Context caching: 1 h unless `ttl` or `expireTime` says otherwise, which the answer then states.
  cache: HOUR_MS,
  // Default. A job expires after 48 h in the queue or in work; how long a finished one is kept is not said.
  batch: 60 * DAY_MS,
  // Default. What it points to lives 2 days.
  operation: 7 * DAY_MS,
  // File Search: until deleted; so are tuned models and corpora.
  store: undefined,
  "tuned-model": undefined,
  corpus: undefined,
  // Interactions: 55 days on the paid tier, 1 on the free: the longer.
  interaction: 55 * DAY_MS,
  agent: undefined,
  // Default, counted from the last answer that told of it.
  environment: 60 * DAY_MS,
  credential: undefined,
  trigger: undefined,
  // @google/genai 3.1.0, `voices`: a year without use; the answer states `expire_time`.
  voice: 366 * DAY_MS,
  webhook: undefined,
  video: 7 * DAY_MS,
  // Ephemeral tokens: at most 20 h, 30 min unless `expireTime` says otherwise.
  "auth-token": 20 * HOUR_MS,
  // Zero data retention page: the state behind a handle is kept up to 24 h.
  "live-handle": 24 * HOUR_MS,
  // Default. Clients send one again within seconds, or after a failure of their own.
  continuation: 2 * DAY_MS,
  // Google's resumable uploads end after a week.
  upload: 7 * DAY_MS,
};

/**
 * When to forget the owner of a thing, ms since 1970; undefined: not before it is deleted.
 * @param statedTime RFC 3339 time the answer gives for its end, if any.
 */
export function expiryMs(kind: ResourceKind, statedTime: unknown, nowMs: number): number | undefined {
  const statedMs = typeof statedTime === "string" ? Date.parse(statedTime) : Number.NaN;
  if (!Number.isNaN(statedMs)) return statedMs;
  const lifetimeMs = LIFETIME_MS[kind];
  return lifetimeMs === undefined ? undefined : nowMs + lifetimeMs;
}
