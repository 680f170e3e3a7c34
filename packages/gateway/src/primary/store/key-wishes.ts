/**
 * What the operator wants of keys, as it is stored: used by the running gateway, and by the command line when none runs.
 * In slices, so that a hundred thousand keys are no pause.
 */
import { ownProjectName } from "@gemini-gateway/core/scheduler/records";
import type { KeySelection, KeyWishRequest } from "../../control/key-desk-types.ts";
import type { Steps } from "../keys/steps.ts";
import type { KeyTable } from "./key-table.ts";
import type { ModelStates } from "./model-states.ts";
import type { KeyRow } from "./rows.ts";
import type { TestTable } from "./test-table.ts";

/** Keys changed in one transaction. */
const SLICE_KEYS = 500;

/** What of the store a wish changes. */
export interface WishStore {
  readonly keys: Pick<KeyTable, "setEnabled" | "setNote" | "saveHealth">;
  readonly models: Pick<ModelStates, "forget">;
  readonly tests: Pick<TestTable, "forget">;
}

export interface ChosenKeys {
  readonly rows: readonly KeyRow[];
  /** Fingerprints that name no key in use. */
  readonly unknown: readonly string[];
}

/** The keys a selection names, retired ones left out. */
export function* chosenKeys(
  keys: Pick<KeyTable, "pages">,
  { fingerprints, all }: KeySelection,
): Steps<ChosenKeys> {
  const wanted = new Set(fingerprints);
  const rows: KeyRow[] = [];
  for (const page of keys.pages()) {
    for (const row of page) {
      if (row.retiredAtMs !== null || (!all && !wanted.has(row.fingerprint))) continue;
      rows.push(row);
      wanted.delete(row.fingerprint);
    }
    if (!all && wanted.size === 0) break;
    yield;
  }
  return { rows, unknown: [...wanted] };
}

/**
 * Stores the wish and its note for the rows, a slice each time it is asked; yields the rows that are stored. To reset a
 * key is to forget what was observed of it, of its project on every model, and of its tests.
 */
export function* wishRows(
  { keys, models, tests }: WishStore,
  rows: readonly KeyRow[],
  { wish, note }: Pick<KeyWishRequest, "wish" | "note">,
  now: () => number,
): Generator<readonly KeyRow[], void, void> {
  for (let from = 0; from < rows.length; from += SLICE_KEYS) {
    const slice = rows.slice(from, from + SLICE_KEYS);
    const ids = slice.map(({ id }) => id);
    if (wish === "reset") {
      keys.saveHealth(ids.map((id) => ({ id, health: null })));
      models.forget(slice.map(({ id, project }) => project ?? ownProjectName(id)));
      tests.forget(ids);
      keys.setNote(ids, note, now());
    } else {
      keys.setEnabled(ids, wish === "enable", note, now());
    }
    yield slice;
  }
}
