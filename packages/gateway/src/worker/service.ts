/** What every request of a worker shares: built once in main.ts and handed down. Worker threads. */
import type { TokenGauge } from "@gemini-gateway/core/quota/token-gauge";
import type { RetryBudget } from "@gemini-gateway/core/retry-budget";
import type { ClientHeaders } from "@gemini-gateway/gemini/headers";
import type { ModelAliases } from "@gemini-gateway/gemini/resources/model-alias";
import type { GatewayConfig } from "../config.ts";
import type { RequestRow } from "../request-row.ts";
import type { SharedCounters } from "../shared-counters.ts";
import type { Affinity } from "./affinity/affinity.ts";
import type { Guard } from "./guard/guard.ts";
import type { LeaseDesk } from "./lease-desk.ts";
import type { ModelCatalogue } from "./lists/model-catalogue.ts";
import type { ProjectDesk } from "./lists/project-desk.ts";
import type { LiveAffinity } from "./live/live-affinity.ts";
import type { LiveUpstream } from "./live/live-upstream.ts";
import type { PageDesk } from "./page-desk.ts";
import type { UpstreamOrigins } from "./transfers/upstream-origins.ts";
import type { Upstream } from "./upstream.ts";

export interface Service {
  readonly config: GatewayConfig;
  /** Models by the other names that clients may use. */
  readonly aliases: ModelAliases;
  readonly counters: SharedCounters;
  readonly guard: Guard;
  readonly desk: LeaseDesk;
  readonly affinity: Affinity;
  readonly projects: ProjectDesk;
  readonly models: ModelCatalogue;
  readonly gauge: TokenGauge;
  readonly upstream: Upstream;
  /** The same way out to the hosts that uploads and downloads lead to. */
  readonly origins: UpstreamOrigins;
  /** The same way out for Live sessions. */
  readonly liveUpstream: LiveUpstream;
  readonly liveAffinity: LiveAffinity;
  readonly pages: PageDesk;
  readonly clientHeaders: ClientHeaders;
  readonly retryBudget: RetryBudget;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called once by every request or Live session that was let in … */
  begun(): void;
  /** … and once by a request when it has ended. */
  ended(row: RequestRow): void;
  /** Called once by every Live session that was let in, and so had begun, when it has ended. */
  sessionEnded(row: RequestRow): void;
  /** Called once by every request or session that was not let in. */
  turnedAway(row: RequestRow): void;
}
