/** What is known of a request at its end: made by a worker, told by the primary. Every thread; plain data. */
import type { KeyId } from "@gemini-gateway/core/lease";
import type { OutcomeKind } from "@gemini-gateway/core/outcome";

/** One finished request, as it is logged and stored. Holds no secret. */
export interface RequestRow {
  /** Moment the request ended, milliseconds since the epoch. */
  readonly atMs: number;
  readonly requestId: string;
  readonly method: string;
  /** Path with the query's credentials removed, at most 512 characters. */
  readonly path: string;
  readonly model: string;
  /** Status sent to the client; 499 when it left before one was sent. */
  readonly status: number;
  readonly outcome: OutcomeKind | "denied" | "refused" | "truncated";
  /** Why it ended so, in the upstream's or the system's own word; empty when it was served. */
  readonly reason: string;
  readonly attempts: number;
  /** Milliseconds from the request's arrival to the first byte sent to the client; -1 when none was sent. */
  readonly firstByteMs: number;
  readonly durationMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  /** Key of the last attempt; 0 when none was made. */
  readonly keyId: KeyId;
  readonly fingerprint: string;
  /** Name of the auth key, or "anonymous". */
  readonly client: string;
  readonly address: string;
}
