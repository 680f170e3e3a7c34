/** Why somebody is not let in, and when it is worth coming back. Worker threads; data only. */
import type { ErrorCode } from "@gemini-gateway/core/error-codes";

export interface Refusal {
  readonly code: ErrorCode;
  /** Milliseconds from now; undefined when nothing is known or coming back is no use. */
  readonly retryAfterMs?: number | undefined;
}
