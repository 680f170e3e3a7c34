/**
 * What a health test asks, and which question it takes to learn what is open about a key. Pure; run by the primary.
 * The cheapest question that can answer is the right one: a free project with twenty generations a day must not spend
 * them on its own tests.
 */
import { isKeyUsable } from "../key-health.ts";
import type { KeyHealth } from "../key-health.ts";
import type { LaneState } from "../lane.ts";
import type { ProjectStanding } from "../project-standing.ts";

/**
 * `list`: one model of the list; proves the key. `count`: counts the tokens of one word; proves that the model accepts
 * the key, and spends no quota of generation. `generate`: one token; proves everything, and costs a request.
 */
export type ProbeAsk = "list" | "count" | "generate";

/** What the operator wants asked; `auto` is the cheapest that can answer. */
export type AskPolicy = "auto" | ProbeAsk;

/** What is known of a key, its project and its lane on the model to be tested. */
export interface TestSubject {
  readonly isEnabled: boolean;
  readonly health: KeyHealth;
  readonly standing: ProjectStanding;
  /** Undefined when the model was never tried with the key's project. */
  readonly lane: LaneState | undefined;
  /** A trial of the key, the project or the lane is out already. */
  readonly isTrialOut: boolean;
}

const COST: Readonly<Record<ProbeAsk, number>> = { list: 0, count: 1, generate: 2 };

/** True when the key is out of service for every model: its own state, or its project's. */
export function isOutOfService({ health, standing }: Pick<TestSubject, "health" | "standing">): boolean {
  return !isKeyUsable(health) || standing.kind !== "good";
}

/** What to ask of a key out of service: the operator's choice, unless only a dearer question can bring it back. */
export function askForKey(policy: AskPolicy, { health, standing }: TestSubject): ProbeAsk {
  if (isLeaked(health) || isRefusedOnlyGenerating(standing)) return "generate";
  return dearer(policy, "list");
}

/** A leaked key lists models and counts tokens as ever. */
export function isLeaked(health: KeyHealth): boolean {
  return health.kind === "dead" && health.reason === "leaked";
}

/** So do the keys of a project that is denied, or whose account has no credit. */
export function isRefusedOnlyGenerating(standing: ProjectStanding): boolean {
  return standing.kind === "billing" || (standing.kind === "denied" && standing.reason === "denied");
}

/** What to ask of a key in service on one model. */
export function askForModel(policy: AskPolicy, { lane }: TestSubject): ProbeAsk {
  if (lane?.kind !== "unavailable") return policy === "auto" ? "count" : policy;
  return dearer(policy, isQuotaOfZero(lane) ? "generate" : "count");
}

/** A model with a quota of 0 counts tokens as ever: only generating shows that it has a quota now. */
export function isQuotaOfZero(lane: Extract<LaneState, { kind: "unavailable" }>): boolean {
  return lane.evidence.httpStatus === 429;
}

function dearer(policy: AskPolicy, needed: ProbeAsk): ProbeAsk {
  if (policy === "auto") return needed;
  return COST[policy] > COST[needed] ? policy : needed;
}
