/** What the door hands a Live session: who opened it, and what for. Worker threads; data only. */
import type { PublicBase } from "@gemini-gateway/gemini/resources/file-address";
import type { LiveRoute, LiveToken } from "@gemini-gateway/gemini/live-route";
import type { Caller } from "../auth.ts";

export interface LiveAdmission {
  readonly route: LiveRoute;
  /** Set when the client came with a token of its own, which is then the only credential. */
  readonly token: LiveToken | undefined;
  readonly rawHeaders: readonly string[];
  /** The gateway's own addresses that files may bear in what the client says, see file-uris.ts. */
  readonly fileBases: readonly PublicBase[];
  readonly caller: Caller;
  /** As it is logged. */
  readonly address: string;
  readonly requestId: string;
  readonly startedAtMs: number;
}
