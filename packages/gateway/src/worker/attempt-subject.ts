/** What of a request matters where an answer to it is judged. Worker threads; data only. */
import type { Resource } from "@gemini-gateway/gemini/resources/resource-name";
import type { Route } from "@gemini-gateway/gemini/route";

export interface AttemptSubject {
  readonly route: Route;
  /** What the request names and only one project can see. */
  readonly refersTo: readonly Resource[];
  /** Whether it carries thought signatures. */
  readonly isSigned: boolean;
  readonly requestTokensFloor: number;
  readonly tokenQuotaRefusals: number;
  now(): number;
}
