/** What follows an attempt at a request or a Live session that failed unseen. Worker threads. */
import type { KeyId } from "@gemini-gateway/core/lease";
import type { OutcomeKind } from "@gemini-gateway/core/outcome";
import { mayRetry } from "@gemini-gateway/core/retry-budget";
import { curable, drawsOnRatio, extendTrail, type Trail } from "@gemini-gateway/core/retry-policy";
import type { Service } from "./service.ts";

export interface AfterFailure {
  readonly trail: Trail;
  /** Another key is to be tried. */
  readonly goesOn: boolean;
}

/**
 * @param mayBeElsewhere nobody knows whose it is that this project has refused as not its own
 * @param sinceMs from when on its time is counted: its arrival, or when a session first could have a key
 */
export function afterFailure(
  service: Service,
  before: Trail,
  keyId: KeyId,
  kind: OutcomeKind,
  mayBeElsewhere: boolean,
  sinceMs: number,
): AfterFailure {
  const trail = extendTrail(before, keyId, kind);
  if (kind === "foreign-resource" && mayBeElsewhere) {
    // Other projects are asked in turn, which is a search and no retry.
    const excludedProjectsOf = [...trail.excludedProjectsOf, keyId];
    const goesOn = trail.attempts < service.affinity.projectsAskedMax;
    return { trail: { ...trail, excludedProjectsOf }, goesOn };
  }
  const { attempts: attemptsMax, timeMs, mode } = service.config.retry;
  const { attempts: attempt } = trail;
  const isInTime = mayRetry({ attempt, attemptsMax, startedAtMs: sinceMs, nowMs: service.now(), timeMs });
  const goesOn =
    curable(kind, before, mode) &&
    isInTime &&
    (!drawsOnRatio(kind, mode) || service.retryBudget.tryWithdraw());
  return { trail, goesOn };
}
