/**
 * What must change for the store to hold the keys of the key files.
 * Pure. Must never retire a key whose file is in doubt: unreadable, half-written or just gone.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import { OperatorError } from "../../control/operator-error.ts";
import type { KeyChange, KeyPlacement, NewKey } from "../store/rows.ts";
import type { FoundEntry } from "./packed-entries.ts";
import { SecretMap } from "./secret-map.ts";
import type { Steps } from "./steps.ts";

/** Most keys in all files together. */
export const KEYS_MAX = 500_000;
/** Keys looked at in one step: a fraction of a millisecond. */
const KEYS_PER_STEP = 500;
/** Rows of one transaction: a few milliseconds. */
export const CHANGE_ROWS_MAX = 200;

/** Where the files say a key belongs. */
export interface FoundKey {
  readonly label: string | null;
  readonly sourceFile: string;
}

/** What the store says of a key. */
export interface KnownKey {
  readonly id: KeyId;
  readonly label: string | null;
  readonly sourceFile: string | null;
  readonly isRetired: boolean;
}

export interface FileEntries {
  readonly name: string;
  readonly entries: Iterable<FoundEntry>;
}

/** What a sync looks at: a map, or a {@link SecretMap}. */
export interface BySecret<V> extends Iterable<[string, V], unknown> {
  get(secret: string): V | undefined;
  has(secret: string): boolean;
}

export interface MergedFiles {
  readonly found: BySecret<FoundKey>;
  /** Times a key was met again. */
  readonly duplicates: number;
  /** Of those, times under another project than the first, where the first counts. */
  readonly conflicts: number;
}

/**
 * All keys of all files, in the order given; the first place of a key counts.
 * @throws OperatorError when there are more than {@link KEYS_MAX}.
 */
export function* mergeFiles(files: readonly FileEntries[]): Steps<MergedFiles> {
  const found = new SecretMap<FoundKey>();
  let duplicates = 0;
  let conflicts = 0;
  let seen = 0;
  for (const { name, entries } of files) {
    let place: FoundKey = { label: null, sourceFile: name };
    for (const { secret, project } of entries) {
      seen += 1;
      if (seen % KEYS_PER_STEP === 0) yield;
      const label = project ?? null;
      // One object for all keys below a label.
      if (place.label !== label) place = { label, sourceFile: name };
      const first = found.get(secret);
      if (first === undefined) found.set(secret, place);
      else duplicates += 1;
      if (first !== undefined && first.label !== label) conflicts += 1;
      if (found.size > KEYS_MAX)
        throw new OperatorError("key-files", `More than ${KEYS_MAX} keys in the key files.`);
    }
  }
  return { found, duplicates, conflicts };
}

export interface SyncPlan extends KeyChange {
  /** Keys that were not found, but whose file is in doubt. */
  readonly keptInDoubt: number;
}

/**
 * Compares the store with the files. A key whose recorded file `isInDoubt` is neither retired nor moved elsewhere.
 * @param known every key of the store by its secret, retired ones too
 */
export function* planSync(
  known: BySecret<KnownKey>,
  found: BySecret<FoundKey>,
  isInDoubt: (sourceFile: string | null) => boolean,
): Steps<SyncPlan> {
  const add: NewKey[] = [];
  const restore: KeyPlacement[] = [];
  const relabel: KeyPlacement[] = [];
  const retire: KeyId[] = [];
  let keptInDoubt = 0;
  let seen = 0;
  for (const [secret, { label, sourceFile }] of found) {
    seen += 1;
    if (seen % KEYS_PER_STEP === 0) yield;
    const before = known.get(secret);
    if (before === undefined) add.push({ secret, label, sourceFile });
    else if (before.isRetired) restore.push({ id: before.id, label, sourceFile });
    else if (before.sourceFile !== sourceFile && isInDoubt(before.sourceFile)) continue;
    else if (before.label !== label || before.sourceFile !== sourceFile) {
      relabel.push({ id: before.id, label, sourceFile });
    }
  }
  for (const [secret, { id, sourceFile, isRetired }] of known) {
    seen += 1;
    if (seen % KEYS_PER_STEP === 0) yield;
    if (isRetired || found.has(secret)) continue;
    if (isInDoubt(sourceFile)) keptInDoubt += 1;
    else retire.push(id);
  }
  return { add, restore, relabel, retire, keptInDoubt };
}

/** Cuts a change into transactions of at most `rowsMax` rows; keys come before keys go. */
export function* sliceChange(
  change: KeyChange,
  rowsMax: number = CHANGE_ROWS_MAX,
): Generator<KeyChange, void, void> {
  const none: KeyChange = { add: [], restore: [], relabel: [], retire: [] };
  for (const add of slices(change.add, rowsMax)) yield { ...none, add };
  for (const restore of slices(change.restore, rowsMax)) yield { ...none, restore };
  for (const relabel of slices(change.relabel, rowsMax)) yield { ...none, relabel };
  for (const retire of slices(change.retire, rowsMax)) yield { ...none, retire };
}

function* slices<T>(items: readonly T[], size: number): Generator<readonly T[], void, void> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
