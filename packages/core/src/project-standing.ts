/**
 * How one Google project stands with Google, apart from any model or key: paid up and admitted, or not.
 * Run by the scheduler (primary thread). A key without a project is a project of its own.
 */
import { trialDelayMs } from "./backoff.ts";
import { provesKey } from "./key-health.ts";
import type { DeadReason, Evidence, Outcome } from "./outcome.ts";
import { TRIAL_AGAIN_MS } from "./rests.ts";
import type { SettledEvent, TransitionContext } from "./rests.ts";

/** Reasons that condemn every key of a project. */
export type DeniedReason = Extract<DeadReason, "suspended" | "denied">;

interface OutOfService {
  readonly evidence: Evidence;
  /** Moment of the first failure of this kind, milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Failures so far: the first one and every failed trial. */
  readonly failures: number;
  /** Before this moment no key of the project is tried again, milliseconds since the epoch. */
  readonly trialAtMs: number;
}

export type ProjectStanding =
  | { readonly kind: "good" }
  | ({ readonly kind: "billing" } & OutOfService)
  | ({ readonly kind: "denied"; readonly reason: DeniedReason } & OutOfService);

export type ProjectEvent =
  | SettledEvent<Outcome>
  /** The one trial use ended without saying anything about the project. */
  | { readonly kind: "trial-inconclusive" };

export const GOOD_STANDING: ProjectStanding = { kind: "good" };

/** The next state; the same object when nothing changed. */
export function projectStandingAfter(
  standing: ProjectStanding,
  event: ProjectEvent,
  context: TransitionContext,
): ProjectStanding {
  switch (event.kind) {
    case "trial-inconclusive":
      if (standing.kind === "good") return standing;
      return { ...standing, trialAtMs: context.nowMs + TRIAL_AGAIN_MS };
    case "settled":
      return event.late ? standing : afterOutcome(standing, event.outcome, context);
  }
}

function afterOutcome(
  standing: ProjectStanding,
  outcome: Outcome,
  context: TransitionContext,
): ProjectStanding {
  if (provesKey(outcome)) return standing.kind === "good" ? standing : GOOD_STANDING;
  if (outcome.kind === "billing") {
    const { billingMs } = context.rests;
    return { kind: "billing", ...outOfService(standing, "billing", outcome.evidence, billingMs, context) };
  }
  if (outcome.kind === "key-dead" && (outcome.reason === "suspended" || outcome.reason === "denied")) {
    const { keyDeadMs } = context.rests;
    const out = outOfService(standing, "denied", outcome.evidence, keyDeadMs, context);
    return { kind: "denied", reason: outcome.reason, ...out };
  }
  return standing;
}

function outOfService(
  standing: ProjectStanding,
  kind: "billing" | "denied",
  evidence: Evidence,
  baseMs: number,
  { nowMs, random }: TransitionContext,
): OutOfService {
  const before = standing.kind !== "good" && standing.kind === kind ? standing : undefined;
  const failures = (before?.failures ?? 0) + 1;
  const trialAtMs = nowMs + trialDelayMs(failures, baseMs, random());
  return { evidence, sinceMs: before?.sinceMs ?? nowMs, failures, trialAtMs };
}
