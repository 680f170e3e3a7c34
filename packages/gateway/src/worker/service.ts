/** What every request of a worker shares: built once in main.ts and handed down. Worker threads. */
import type { TokenGauge } from "@gemini-gateway/core/quota/token-gauge";
import type { RetryBudget } from "@gemini-gateway/core/retry-budget";
import type { GatewayConfig } from "../config.ts";
import type { RequestRow } from "../request-row.ts";
import type { SharedCounters } from "../shared-counters.ts";
import type { Affinity } from "./affinity/affinity.ts";
import type { Guard } from "./guard/guard.ts";
import type { LeaseDesk } from "./lease-desk.ts";
import type { PageDesk } from "./page-desk.ts";
import type { Upstream } from "./upstream.ts";

export interface Service {
  readonly config: GatewayConfig;
  readonly counters: SharedCounters;
  readonly guard: Guard;
  readonly desk: LeaseDesk;
  readonly affinity: Affinity;
  readonly gauge: TokenGauge;
  readonly upstream: Upstream;
  readonly pages: PageDesk;
  readonly retryBudget: RetryBudget;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called once by every request that was let in … */
  begun(): void;
  /** … and once when it has ended. */
  ended(row: RequestRow): void;
  /** Called once by every request that was not let in. */
  turnedAway(row: RequestRow): void;
}
