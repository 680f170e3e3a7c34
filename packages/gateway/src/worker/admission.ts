/** What the front door knows of a request it lets in. Worker threads; data only. */
import type { Route } from "@gemini-gateway/gemini/route";
import type { Caller } from "./auth.ts";

export interface Admission {
  readonly route: Route;
  readonly caller: Caller;
  /** Where the caller is, for the log. */
  readonly address: string;
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** Headers every answer carries; a flat list. */
  readonly extraHeaders: readonly string[];
}
