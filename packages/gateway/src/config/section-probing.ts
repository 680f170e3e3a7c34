/**
 * The options on how the pool tests its keys. A part of the schema in `config.ts`; data only.
 */
import type { Section } from "./option.ts";

/** Any wait longer than this is as good as never. */
const WAIT_MAX = "90d";

export const PROBING_SECTION = {
  kind: "section",
  title: "Health tests",
  options: {
    concurrency: {
      kind: "integer",
      default: 8,
      min: 1,
      max: 64,
      unit: "tests",
      reload: "restart",
      manual: "Most tests in progress at once.",
    },
    perMinute: {
      kind: "integer",
      default: 300,
      min: 1,
      max: 60_000,
      unit: "tests",
      reload: "restart",
      manual: "Most tests begun in a minute.",
    },
    batch: {
      kind: "integer",
      default: 32,
      min: 1,
      max: 256,
      unit: "tests",
      reload: "restart",
      manual: "Most tests handed to a test thread at once.",
    },
    timeout: {
      kind: "duration",
      default: "30s",
      min: "100ms",
      max: "10m",
      reload: "restart",
      manual:
        "Longest time of one test; then it counts as a network fault, which is not held against the key.",
    },
    afterSuccess: {
      kind: "duration",
      default: "12h",
      min: "1s",
      max: WAIT_MAX,
      reload: "restart",
      manual: "Time until a key is tested again on a model on which it worked, for a client or in a test.",
    },
    afterForbidden: {
      kind: "duration",
      default: "10d",
      min: "1s",
      max: WAIT_MAX,
      reload: "restart",
      manual: "Time until the next test after an answer of 403; also the longest time after any refusal.",
    },
    afterRefusal: {
      kind: "duration",
      default: "1d",
      min: "1s",
      max: WAIT_MAX,
      reload: "restart",
      manual:
        "Time until the next test after any other answer from 400 to 499; it doubles while they repeat. After a quota error the next test comes when the quota returns.",
    },
    afterServerError: {
      kind: "duration",
      default: "10m",
      min: "1s",
      max: WAIT_MAX,
      reload: "restart",
      manual: "Time until the next test after a failure of the upstream, status 500 and above.",
    },
    afterNetworkFault: {
      kind: "duration",
      default: "1m",
      min: "1s",
      max: WAIT_MAX,
      reload: "restart",
      manual:
        "Time until the next test after the upstream could not be reached; it doubles while that lasts, up to `probing.afterServerError`.",
    },
    afterFailure: {
      kind: "duration",
      default: "5m",
      min: "1s",
      max: WAIT_MAX,
      reload: "restart",
      manual: "Longest time until a test after a client's request failed with a key.",
    },
  },
} as const satisfies Section;
