/**
 * Puts what is known of a key into words for a list: one state, one reason, and when it will be tried again.
 * Primary thread and command line; pure.
 */
import type { KeyHealth } from "@gemini-gateway/core/key-health";
import type { ProjectStanding } from "@gemini-gateway/core/project-standing";
import type { LaneView } from "@gemini-gateway/core/scheduler/views";
import type { KeyStateText } from "../control/offline.ts";
import { keyStatesOf } from "./stored-health.ts";
import type { KeyRow } from "./store/rows.ts";

/**
 * Words of a running gateway's list. `lanes` are the models the key's project was tried on.
 * @param nextTestMs when a key that is out of service is tested; without it a request tries it
 */
export function keyStateText(
  key: {
    readonly isEnabled: boolean;
    readonly health: KeyHealth;
    readonly standing: ProjectStanding;
    readonly lanes: readonly LaneView[];
  },
  nextTestMs?: number,
): KeyStateText {
  if (!key.isEnabled) return { state: "disabled", reason: "by the operator", sinceMs: null };
  const out = outOfService(key.health, key.standing);
  if (out !== undefined) return nextTestMs === undefined ? out : { ...out, retryAtMs: nextTestMs };
  return restText(key.lanes) ?? inService(key.health);
}

/** The same from what the last run stored; rests are told by a running gateway only. */
export function storedKeyStateText(row: KeyRow): KeyStateText {
  if (!row.enabled) return { state: "disabled", reason: "by the operator", sinceMs: null };
  const [stored] = keyStatesOf([row]);
  if (stored === undefined) return { state: "untested", reason: null, sinceMs: null };
  return outOfService(stored.health, stored.standing) ?? inService(stored.health);
}

function outOfService(health: KeyHealth, standing: ProjectStanding): KeyStateText | undefined {
  if (health.kind === "dead" || health.kind === "misconfigured") {
    const { kind: state, reason, sinceMs, trialAtMs: retryAtMs } = health;
    return { state, reason, sinceMs, retryAtMs };
  }
  if (standing.kind === "good") return undefined;
  const { sinceMs, trialAtMs: retryAtMs } = standing;
  if (standing.kind === "denied") return { state: "dead", reason: standing.reason, sinceMs, retryAtMs };
  return { state: "resting", reason: "billing", sinceMs, retryAtMs };
}

/** Resting when no model it was tried on is open. */
function restText(lanes: readonly LaneView[]): KeyStateText | undefined {
  const closed = lanes.flatMap(({ model, state }) => {
    switch (state.kind) {
      case "overloaded":
      case "quota-minute":
      case "quota-day":
        return [{ reason: `${state.kind} on ${model}`, sinceMs: state.sinceMs, retryAtMs: state.untilMs }];
      case "unavailable":
        return [{ reason: `${model} not open to it`, sinceMs: state.sinceMs, retryAtMs: state.trialAtMs }];
      case "untried":
      case "proven":
      case "recovering":
        return [];
    }
  });
  const [first] = closed.toSorted((a, b) => a.retryAtMs - b.retryAtMs);
  if (first === undefined || closed.length < lanes.length) return undefined;
  return { state: "resting", ...first };
}

function inService(health: KeyHealth): KeyStateText {
  if (health.kind === "good") return { state: "good", reason: null, sinceMs: health.sinceMs };
  return { state: "untested", reason: null, sinceMs: null };
}
