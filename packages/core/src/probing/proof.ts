/**
 * What the answer to a test says about the key, its project and its lane. A good answer to a cheap question proves
 * less than one to a dear question; a refusal is one whatever was asked. Pure; run by the scheduler (primary thread).
 */
import type { KeyHealth } from "../key-health.ts";
import { provesKey } from "../key-health.ts";
import type { LaneState } from "../lane.ts";
import type { Outcome } from "../outcome.ts";
import type { ProjectStanding } from "../project-standing.ts";
import { isLeaked, isQuotaOfZero, isRefusedOnlyGenerating } from "./ask.ts";
import type { ProbeAsk } from "./ask.ts";

/** False when the outcome must not change what is known of the key. */
export function speaksOfKey(ask: ProbeAsk, outcome: Outcome, health: KeyHealth): boolean {
  return ask === "generate" || !isLeaked(health) || !provesKey(outcome);
}

/** False when the outcome must not change how the project stands. */
export function speaksOfProject(ask: ProbeAsk, outcome: Outcome, standing: ProjectStanding): boolean {
  return ask === "generate" || !isRefusedOnlyGenerating(standing) || !provesKey(outcome);
}

/**
 * False when the outcome must not change the lane. Counting has quotas and overloads of its own, and listing knows of
 * no model; but a model that is not open to a project refuses to count, too.
 */
export function speaksOfLane(ask: ProbeAsk, outcome: Outcome, lane: LaneState): boolean {
  switch (ask) {
    case "generate":
      return true;
    case "list":
      return false;
    case "count":
      if (outcome.kind === "model-unavailable") return true;
      return outcome.kind === "served" && lane.kind === "unavailable" && !isQuotaOfZero(lane);
  }
}
