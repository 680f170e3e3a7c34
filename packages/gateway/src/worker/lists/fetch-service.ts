/** What it takes to ask projects: a part of the worker's service. Worker threads; types only. */
import type { RetryBudget } from "@gemini-gateway/core/retry-budget";
import type { GatewayConfig } from "../../config.ts";
import type { LeaseDesk } from "../lease-desk.ts";
import type { Upstream } from "../upstream.ts";
import type { ProjectDesk } from "./project-desk.ts";

export interface FetchService {
  readonly config: GatewayConfig;
  readonly desk: LeaseDesk;
  readonly upstream: Upstream;
  readonly projects: ProjectDesk;
  readonly retryBudget: RetryBudget;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
