/** How the scheduler's snapshots lie in the store, and how they are read back: nothing in a file is trusted. */
import type { StoredKeyState, StoredLaneState } from "@gemini-gateway/core/scheduler/stored-state";
import type { KeyRow, ModelStateRow } from "./store/rows.ts";

export function storedHealthOf({ health, standing }: StoredKeyState): unknown {
  return { health, standing };
}

/** The snapshots of keys that have one; rows that do not look like one are left out. */
export function keyStatesOf(rows: readonly KeyRow[]): StoredKeyState[] {
  return rows.flatMap(({ id, health: stored }) => {
    if (!isRecord(stored)) return [];
    const { health, standing } = stored;
    return isState(health) && isState(standing)
      ? [{ id, health, standing } as unknown as StoredKeyState]
      : [];
  });
}

/** The snapshots of lanes; rows that do not look like one are left out. */
export function laneStatesOf(rows: readonly ModelStateRow[]): StoredLaneState[] {
  return rows.flatMap(({ project, model, state: stored }) => {
    if (!isRecord(stored) || !isState(stored["state"])) return [];
    const { state, lastServedMs, quota } = stored;
    const servedMs = typeof lastServedMs === "number" ? lastServedMs : 0;
    // What the quota holds the scheduler looks through itself.
    return [{ project, model, state, lastServedMs: servedMs, quota } as unknown as StoredLaneState];
  });
}

function isState(value: unknown): boolean {
  return isRecord(value) && typeof value["kind"] === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
