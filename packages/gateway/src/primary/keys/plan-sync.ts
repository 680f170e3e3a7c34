/**
 * What must change for the store to hold the keys of the key files.
 * Pure. Must never retire a key whose file is in doubt: unreadable, half-written or just gone.
 */
import { IdMap } from "@gemini-gateway/core/id-map";
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

/** The keys of the store by their secret, retired ones too: a map, or what is as good. */
export interface KnownBook {
  get(secret: string): KnownKey | undefined;
  values(): Iterable<KnownKey>;
}

export interface SyncPlan extends KeyChange {
  /** Keys that were not found, but whose file is in doubt. */
  readonly keptInDoubt: number;
  /** Times a key was met again; its first place counts. */
  readonly duplicates: number;
  /** Of those, times under another project than the first. */
  readonly conflicts: number;
}

/**
 * Compares the store with the files, which come in the order in which the first place of a key counts. A key whose
 * recorded file `isInDoubt` is neither retired nor moved elsewhere.
 * @throws OperatorError when there are more than {@link KEYS_MAX} keys.
 */
export function* planSync(
  known: KnownBook,
  files: readonly FileEntries[],
  isInDoubt: (sourceFile: string | null) => boolean,
): Steps<SyncPlan> {
  const changes = new Changes(isInDoubt);
  let passed = 0;
  for (const { name, entries } of files) {
    let place: FoundKey = { label: null, sourceFile: name };
    for (const { secret, project } of entries) {
      if (++passed % KEYS_PER_STEP === 0) yield;
      const label = project ?? null;
      // One object for all keys below a label.
      if (place.label !== label) place = { label, sourceFile: name };
      changes.found(secret, known.get(secret), place);
    }
  }
  for (const key of known.values()) {
    if (++passed % KEYS_PER_STEP === 0) yield;
    changes.leftOver(key);
  }
  return changes.plan;
}

/** Each key of the files is looked up once: with 100,000 of them, what costs is the memory that is out of the caches. */
class Changes {
  readonly #isInDoubt: (sourceFile: string | null) => boolean;
  readonly #found = new IdMap<FoundKey>();
  readonly #new = new SecretMap<FoundKey>();
  readonly #add: NewKey[] = [];
  readonly #restore: KeyPlacement[] = [];
  readonly #relabel: KeyPlacement[] = [];
  readonly #retire: KeyId[] = [];
  #keptInDoubt = 0;
  #duplicates = 0;
  #conflicts = 0;

  constructor(isInDoubt: (sourceFile: string | null) => boolean) {
    this.#isInDoubt = isInDoubt;
  }

  get plan(): SyncPlan {
    return {
      add: this.#add,
      restore: this.#restore,
      relabel: this.#relabel,
      retire: this.#retire,
      keptInDoubt: this.#keptInDoubt,
      duplicates: this.#duplicates,
      conflicts: this.#conflicts,
    };
  }

  /** A key in a file. */
  found(secret: string, before: KnownKey | undefined, place: FoundKey): void {
    const first = before === undefined ? this.#new.get(secret) : this.#found.get(before.id);
    if (first !== undefined) {
      this.#duplicates += 1;
      if (first.label !== place.label) this.#conflicts += 1;
      return;
    }
    if (before === undefined) {
      this.#new.set(secret, place);
      this.#add.push({ secret, ...place });
    } else {
      this.#found.set(before.id, place);
      this.#compare(before, place);
    }
    if (this.#found.size + this.#add.length > KEYS_MAX)
      throw new OperatorError("key-files", `More than ${KEYS_MAX} keys in the key files.`);
  }

  /** A key of the store, when all files have been gone through. */
  leftOver({ id, sourceFile, isRetired }: KnownKey): void {
    if (isRetired || this.#found.has(id)) return;
    if (this.#isInDoubt(sourceFile)) this.#keptInDoubt += 1;
    else this.#retire.push(id);
  }

  #compare({ id, label, sourceFile, isRetired }: KnownKey, place: FoundKey): void {
    if (isRetired) {
      this.#restore.push({ id, ...place });
      return;
    }
    const isMoved = sourceFile !== place.sourceFile;
    if (isMoved && this.#isInDoubt(sourceFile)) return;
    if (isMoved || label !== place.label) this.#relabel.push({ id, ...place });
  }
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
