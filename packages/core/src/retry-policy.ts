/** Decides what follows a failed attempt, and what the client is told when nothing more can be tried. Pure. */
import type { ErrorCode } from "./error-codes.ts";
import type { Denial, DenialReason, KeyId } from "./lease.ts";
import { effectOf, type Outcome, type OutcomeKind } from "./outcome.ts";

/** `curable`: only what another key can cure. `any-failure`: everything but success and a caller that left. */
export type RetryMode = "curable" | "any-failure";

/** What the request has been through so far. */
export interface Trail {
  /** Keys no later attempt may use, in order. */
  readonly excludedKeys: readonly KeyId[];
  /** Those of them whose whole project is excluded. */
  readonly excludedProjectsOf: readonly KeyId[];
  /** Attempts that have ended. */
  readonly attempts: number;
  /** Whether a model turned out not to be open to one project: the second time it is the answer. */
  readonly modelRefused: boolean;
}

export const FRESH_TRAIL: Trail = {
  excludedKeys: [],
  excludedProjectsOf: [],
  attempts: 0,
  modelRefused: false,
};

/** The trail after one more attempt with `keyId` ended in `kind`. */
export function extendTrail(trail: Trail, keyId: KeyId, kind: OutcomeKind): Trail {
  const { next } = effectOf(kind);
  const wholeProject = next === "other-project" || next === "other-project-once";
  return {
    excludedKeys: next === "any-key" ? trail.excludedKeys : [...trail.excludedKeys, keyId],
    excludedProjectsOf: wholeProject ? [...trail.excludedProjectsOf, keyId] : trail.excludedProjectsOf,
    attempts: trail.attempts + 1,
    modelRefused: trail.modelRefused || kind === "model-unavailable",
  };
}

/** Whether an outcome is worth another attempt at all; budgets are asked afterwards. `trail` is the one before it. */
export function curable(kind: OutcomeKind, trail: Trail, mode: RetryMode): boolean {
  if (kind === "served" || kind === "caller-left") return false;
  if (mode === "any-failure") return true;
  const { next } = effectOf(kind);
  if (next === "other-project-once") return !trail.modelRefused;
  return next !== "none";
}

/** Failures that may strike every key at once: only their retries would multiply an outage of the upstream. */
const OUTAGE_KINDS: ReadonlySet<OutcomeKind> = new Set<OutcomeKind>([
  "overloaded",
  "empty",
  "broken",
  "network",
]);

/**
 * Whether a retry after this outcome draws on the ratio over all requests. The others are bounded by themselves: a
 * key that is out of quota or dead fails one request and is then out of the way.
 */
export function drawsOnRatio(kind: OutcomeKind, mode: RetryMode): boolean {
  return mode === "any-failure" || OUTAGE_KINDS.has(kind);
}

const DENIAL_CODES: Readonly<Record<DenialReason, ErrorCode>> = {
  "no-keys": "pool-empty",
  quota: "pool-quota",
  billing: "pool-billing",
  resting: "pool-resting",
  "out-of-service": "pool-out-of-service",
  busy: "pool-busy",
  "model-unavailable": "pool-model-unavailable",
  "owner-gone": "owner-gone",
  "owners-differ": "owners-differ",
};

/** The same when only the project is meant that the request is bound to. */
const OWNER_DENIAL_CODES: Readonly<Record<DenialReason, ErrorCode>> = {
  "no-keys": "owner-gone",
  quota: "owner-quota",
  billing: "owner-billing",
  resting: "owner-resting",
  "out-of-service": "owner-out-of-service",
  busy: "owner-busy",
  "model-unavailable": "owner-model-unavailable",
  "owner-gone": "owner-gone",
  "owners-differ": "owners-differ",
};

/**
 * When a client that gets the upstream's own answer is asked to come back. `soon`: as the upstream said, else when a
 * key returns. `as-told`: only if the upstream said when. `never`: the same request would meet the same answer.
 */
export type ComeBack = "soon" | "as-told" | "never";

/** How a request that cannot be served ends. */
export type LastWord =
  /** The upstream's own last answer is the truth. */
  | { readonly kind: "pass-on"; readonly comeBack: ComeBack }
  | { readonly kind: "own"; readonly code: ErrorCode };

/**
 * The last word when no further attempt is made.
 * @param last outcome of the last attempt, if there was one
 * @param passable whether an answer of the upstream is at hand to pass on
 * @param denial why no key was lent, when that is what ended it; undefined when other keys may have served
 */
export function lastWord(last: Outcome | undefined, passable: boolean, denial: Denial | undefined): LastWord {
  const denied = denial === undefined ? undefined : denialCode(denial);
  if (last === undefined) return own(denied ?? "internal");
  switch (last.kind) {
    // The client's own key was never involved: telling it that a key is bad or broke would mislead it.
    case "key-dead":
    case "key-misconfigured":
    case "billing":
      return own(denied ?? "tried-in-vain");
    case "quota-minute":
    case "quota-day":
      if (denied === undefined) return own("tried-quota");
      return own(denial?.scope === "owner" ? "owner-quota" : "pool-quota");
    case "model-unavailable":
      // A project that may use the model but cannot now is the better news.
      return denied === undefined || denial?.reason === "model-unavailable"
        ? passedOn(passable, "never", denied ?? "pool-model-unavailable")
        : own(denied);
    case "network":
      return own(last.evidence.reason === "timeout" ? "upstream-timeout" : "upstream-network");
    case "broken":
      return own("upstream-broken");
    case "empty":
      return passedOn(passable, "never", "upstream-empty");
    case "overloaded":
      return passedOn(passable, "soon", "upstream-overloaded");
    case "request-over-quota":
      return passedOn(passable, "as-told", "tried-quota");
    case "caller-fault":
      return passedOn(passable, "never", "unsendable-request");
    case "foreign-resource":
    case "location":
    case "served":
    case "caller-left":
      return passedOn(passable, "never", "internal");
  }
}

function denialCode({ reason, scope }: Denial): ErrorCode {
  return scope === "owner" ? OWNER_DENIAL_CODES[reason] : DENIAL_CODES[reason];
}

function own(code: ErrorCode): LastWord {
  return { kind: "own", code };
}

function passedOn(passable: boolean, comeBack: ComeBack, otherwise: ErrorCode): LastWord {
  return passable ? { kind: "pass-on", comeBack } : own(otherwise);
}
