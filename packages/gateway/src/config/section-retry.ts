/**
 * The options on what the gateway does to get a request served: retries, leases and the rests of keys that failed.
 * A part of the schema in `config.ts`; data only.
 */
import type { Section } from "./option.ts";

export const RETRY_SECTION = {
  kind: "section",
  title: "Retries",
  options: {
    mode: {
      kind: "choice",
      choices: ["curable", "any-failure"],
      default: "curable",
      reload: "live",
      manual:
        "Which failures go to another key. `curable`: only those that another key can cure, so that a bad request costs one upstream call. `any-failure`: every failed answer.",
    },
    attempts: {
      kind: "integer",
      default: 5,
      min: 1,
      max: 20,
      unit: "attempts",
      reload: "live",
      manual: "Most attempts at the upstream for one request, the first included; each uses another key.",
    },
    time: {
      kind: "duration",
      default: "120s",
      min: "0s",
      max: "1h",
      reload: "live",
      manual:
        "Time after the arrival of a request in which a new attempt may start. An attempt that has started may run longer.",
    },
    ratio: {
      kind: "number",
      default: 0.2,
      min: 0,
      max: 10,
      reload: "live",
      manual:
        "Retries allowed per request, over all requests of a worker, so that an outage of the upstream is not multiplied.",
    },
    burst: {
      kind: "integer",
      default: 10,
      min: 0,
      max: 10_000,
      unit: "retries",
      reload: "live",
      manual: "Retries a worker may make in a row before `retry.ratio` holds them back.",
    },
  },
} as const satisfies Section;

export const LEASE_SECTION = {
  kind: "section",
  title: "Leases",
  options: {
    maxWait: {
      kind: "duration",
      default: "1s",
      min: "0s",
      max: "60s",
      reload: "live",
      manual:
        "Longest time a request waits for a key that is about to return, instead of being refused at once. 0 refuses at once.",
    },
    ttl: {
      kind: "duration",
      default: "5s",
      min: "100ms",
      max: "10m",
      reload: "live",
      manual:
        "Time in which a worker may start requests with a key it was lent; after it the unused rest goes back.",
    },
    batch: {
      kind: "integer",
      default: 128,
      min: 1,
      max: 256,
      unit: "uses",
      reload: "live",
      manual:
        "Most uses of keys a worker asks for at once, per model. More means fewer messages and a coarser spread.",
    },
  },
} as const satisfies Section;

/** Any rest longer than this hides a key that works again. */
const REST_MAX = "7d";

export const REST_SECTION = {
  kind: "section",
  title: "Rests of keys",
  options: {
    overloadedMin: {
      kind: "duration",
      default: "2s",
      min: "10ms",
      max: "1h",
      reload: "live",
      manual:
        "First rest of a key after an overload or an empty answer of the upstream; it grows while they repeat.",
    },
    overloadedMax: {
      kind: "duration",
      default: "5m",
      min: "10ms",
      max: "24h",
      reload: "live",
      manual: "Longest rest of a key after repeated overloads of the upstream.",
    },
    billing: {
      kind: "duration",
      default: "12h",
      min: "1s",
      max: REST_MAX,
      reload: "live",
      manual:
        "Rest of all keys of a project that has a billing problem: no credit left, or its spending cap reached.",
    },
    keyDead: {
      kind: "duration",
      default: "24h",
      min: "1s",
      max: REST_MAX,
      reload: "live",
      manual:
        "Time until a key that Google refused as invalid, suspended, denied or leaked is checked again.",
    },
    keyMisconfigured: {
      kind: "duration",
      default: "6h",
      min: "1s",
      max: REST_MAX,
      reload: "live",
      manual:
        "Time until a key is checked again whose own settings forbid the use: service off, or callers restricted.",
    },
    modelUnavailable: {
      kind: "duration",
      default: "24h",
      min: "1s",
      max: REST_MAX,
      reload: "live",
      manual: "Time until a model that is not open to a project is tried again with that project's keys.",
    },
    quotaDayTrial: {
      kind: "duration",
      default: "1h",
      min: "1m",
      max: "24h",
      reload: "live",
      manual:
        "Time between trials of a project whose daily quota is used up, should the quota return before Pacific midnight.",
    },
    quotaMinuteMax: {
      kind: "duration",
      default: "5m",
      min: "1s",
      max: "1h",
      reload: "live",
      manual: "Longest rest after a quota of the minute is used up, whatever delay the upstream names.",
    },
  },
} as const satisfies Section;
