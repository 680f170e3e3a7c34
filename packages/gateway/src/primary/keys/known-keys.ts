/**
 * The keys of the store in the primary's memory, so that a sync need not read the table again.
 * Primary thread. Holds secrets: must never be logged or sent anywhere.
 */
import { IdMap } from "@gemini-gateway/core/id-map";
import type { AppliedKeyChange, KeyRow } from "../store/rows.ts";
import type { SecretBook } from "./packed-entries.ts";
import type { KnownBook, KnownKey } from "./plan-sync.ts";
import { SecretMap } from "./secret-map.ts";

/** A key with its secret: the one text of it that is kept in memory. */
export interface SecretKey extends KnownKey {
  readonly secret: string;
}

export class KnownKeys implements KnownBook, SecretBook {
  readonly #bySecret = new SecretMap<SecretKey>();
  readonly #byId = new IdMap<SecretKey>();
  /** Names of files and labels, each once: rows of a database come with a copy of their own. */
  readonly #names = new Map<string, string>();
  #inUse = 0;

  get(secret: string): KnownKey | undefined {
    return this.#bySecret.get(secret);
  }

  values(): Iterable<SecretKey> {
    return this.#bySecret.values();
  }

  /** How many keys are not retired. */
  get inUse(): number {
    return this.#inUse;
  }

  textOf(secret: string): string | undefined {
    return this.#bySecret.get(secret)?.secret;
  }

  load(rows: readonly KeyRow[]): void {
    for (const { id, secret, label, sourceFile, retiredAtMs } of rows) {
      this.#set({
        id,
        secret,
        label: this.#name(label),
        sourceFile: this.#name(sourceFile),
        isRetired: retiredAtMs !== null,
      });
    }
  }

  apply({ added, relabelled, retired }: AppliedKeyChange): void {
    this.load(added);
    this.load(relabelled);
    for (const id of retired) {
      const known = this.#byId.get(id);
      if (known !== undefined) this.#set({ ...known, isRetired: true });
    }
  }

  #set(key: SecretKey): void {
    const wasInUse = this.#bySecret.get(key.secret)?.isRetired === false;
    this.#bySecret.set(key.secret, key);
    this.#byId.set(key.id, key);
    this.#inUse += Number(!key.isRetired) - Number(wasInUse);
  }

  #name(name: string | null): string | null {
    if (name === null) return null;
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    this.#names.set(name, name);
    return name;
  }
}
