/** Everything one emulator knows and counts: built once by `startEmulator`, handed to each exchange. */
import type { CallRecorder } from "./call-log.ts";
import type { FaultRules } from "./fault-rules.ts";
import type { Model } from "./models.ts";
import type { Projects } from "./projects.ts";
import type { QuotaBuckets } from "./quota-buckets.ts";
import type { Links } from "./resources/links.ts";
import type { Resources } from "./resources/resources.ts";

export interface World {
  readonly projects: Projects;
  readonly models: ReadonlyMap<string, Model>;
  readonly quotas: QuotaBuckets;
  readonly faults: FaultRules;
  readonly calls: CallRecorder;
  readonly resources: Resources;
  readonly links: Links;
  /** Wall clock, milliseconds since the epoch; injected. */
  readonly now: () => number;
  readonly startedAtMs: number;
  readonly requestBytesMax: number;
}
