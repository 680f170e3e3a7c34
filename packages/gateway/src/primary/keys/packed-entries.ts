/**
 * What a settled key file says, kept small until the file changes: its secrets in their order and, where the label
 * changes, the label. Primary thread. Holds secrets: must never be logged or sent anywhere.
 */
import type { Steps } from "./steps.ts";

/** A key as a file names it. */
export interface FoundEntry {
  readonly secret: string;
  /** The operator's name of the Google project; absent when the key has no label. */
  readonly project?: string;
}

/** Knows the keys that are in memory. */
export interface SecretBook {
  /** The same secret as it is in memory already; undefined when it is not. */
  textOf(secret: string): string | undefined;
}

/** Entries packed in one step: some tenths of a millisecond. */
const ENTRIES_PER_STEP = 500;

/** The same entries, in a fraction of the memory. Where a key is known, its text is shared and that of the file let go. */
export function* packEntries(entries: readonly FoundEntry[], known: SecretBook): Steps<Iterable<FoundEntry>> {
  const secrets: string[] = [];
  const labels: Label[] = [];
  let label: string | undefined;
  for (const { secret, project } of entries) {
    if (project !== label) labels.push({ from: secrets.length, name: project });
    label = project;
    secrets.push(known.textOf(secret) ?? secret);
    if (secrets.length % ENTRIES_PER_STEP === 0) yield;
  }
  return new PackedEntries(secrets, labels);
}

/** A label holds for the entries from this one on; without a name they have none. */
interface Label {
  readonly from: number;
  readonly name: string | undefined;
}

class PackedEntries implements Iterable<FoundEntry> {
  readonly #secrets: readonly string[];
  readonly #labels: readonly Label[];

  constructor(secrets: readonly string[], labels: readonly Label[]) {
    this.#secrets = secrets;
    this.#labels = labels;
  }

  *[Symbol.iterator](): Generator<FoundEntry, void, void> {
    let nextLabel = 0;
    let project: string | undefined;
    for (const [index, secret] of this.#secrets.entries()) {
      const label = this.#labels[nextLabel];
      if (label?.from === index) {
        project = label.name;
        nextLabel += 1;
      }
      yield project === undefined ? { secret } : { secret, project };
    }
  }
}
