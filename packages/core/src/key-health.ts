/**
 * What is known about one key, apart from any model: the state machine of its health.
 * Run by the scheduler (primary thread). Knows nothing of what the operator wants (`enabled`) nor of the key's project.
 */
import { trialDelayMs } from "./backoff.ts";
import type { DeadReason, Evidence, MisconfiguredReason, Outcome } from "./outcome.ts";
import { TRIAL_AGAIN_MS } from "./rests.ts";
import type { SettledEvent, TransitionContext } from "./rests.ts";

/** Reasons that condemn a key alone; the other {@link DeadReason}s condemn its whole project. */
export type KeyDeadReason = Exclude<DeadReason, "suspended" | "denied">;

/** What every key out of service remembers. */
interface OutOfService {
  readonly evidence: Evidence;
  /** Moment of the first failure of this kind, milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Failures so far: the first one and every failed trial. */
  readonly failures: number;
  /** Before this moment the key is not tried again, milliseconds since the epoch. */
  readonly trialAtMs: number;
}

export type KeyHealth =
  | { readonly kind: "untested" }
  | { readonly kind: "good"; readonly sinceMs: number }
  | ({ readonly kind: "dead"; readonly reason: KeyDeadReason } & OutOfService)
  | ({ readonly kind: "misconfigured"; readonly reason: MisconfiguredReason } & OutOfService);

export type KeyEvent =
  | SettledEvent<Outcome>
  /** The one trial use ended without saying anything about the key. */
  | { readonly kind: "trial-inconclusive" };

export const UNTESTED_KEY: KeyHealth = { kind: "untested" };

/** True when the key may serve ordinary traffic; otherwise only a trial may use it. */
export function isKeyUsable(health: KeyHealth): boolean {
  return health.kind === "untested" || health.kind === "good";
}

/** The next state; the same object when nothing changed. */
export function keyHealthAfter(health: KeyHealth, event: KeyEvent, context: TransitionContext): KeyHealth {
  switch (event.kind) {
    case "trial-inconclusive":
      return isKeyUsable(health)
        ? health
        : ({ ...health, trialAtMs: context.nowMs + TRIAL_AGAIN_MS } as KeyHealth);
    case "settled":
      return event.late ? health : afterOutcome(health, event.outcome, context);
  }
}

/** True for answers that only an accepted key receives, good or bad. */
export function provesKey(outcome: Outcome): boolean {
  return (
    outcome.kind === "served" ||
    outcome.kind === "quota-minute" ||
    outcome.kind === "quota-day" ||
    outcome.kind === "request-over-quota"
  );
}

function afterOutcome(health: KeyHealth, outcome: Outcome, context: TransitionContext): KeyHealth {
  if (provesKey(outcome)) return health.kind === "good" ? health : { kind: "good", sinceMs: context.nowMs };
  if (outcome.kind === "key-misconfigured") {
    const { kind, ...out } = outOfService(health, "misconfigured", outcome.evidence, context);
    return { kind, reason: outcome.reason, ...out };
  }
  if (outcome.kind === "key-dead" && outcome.reason !== "suspended" && outcome.reason !== "denied") {
    const { kind, ...out } = outOfService(health, "dead", outcome.evidence, context);
    return { kind, reason: outcome.reason, ...out };
  }
  return health;
}

function outOfService<Kind extends "dead" | "misconfigured">(
  health: KeyHealth,
  kind: Kind,
  evidence: Evidence,
  { nowMs, rests, random }: TransitionContext,
): OutOfService & { readonly kind: Kind } {
  const before = health.kind === kind ? (health as OutOfService) : undefined;
  const failures = (before?.failures ?? 0) + 1;
  const baseMs = kind === "dead" ? rests.keyDeadMs : rests.keyMisconfiguredMs;
  return {
    kind,
    evidence,
    sinceMs: before?.sinceMs ?? nowMs,
    failures,
    trialAtMs: nowMs + trialDelayMs(failures, baseMs, random()),
  };
}
