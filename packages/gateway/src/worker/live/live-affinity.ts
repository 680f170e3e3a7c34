/**
 * The place where what Google ties to one project meets Live sessions: a handle resumes a session only with a key of the
 * project that began it. Worker threads. Until the affinity of requests is wired in, nothing is pinned.
 */
import type { KeyId } from "@gemini-gateway/core/lease";

export interface LiveAffinity {
  /** Names of what the setup refers to, such as the handle of a session to be resumed. */
  resourcesOf(setup: Buffer): readonly string[];
  /** A message of the server passes that may name something new; called for each, so it must be cheap. */
  heard(message: Buffer, keyId: KeyId): void;
}

export const NO_AFFINITY: LiveAffinity = { resourcesOf: () => [], heard: () => {} };
