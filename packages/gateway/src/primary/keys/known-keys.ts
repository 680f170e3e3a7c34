/**
 * The keys of the store in the primary's memory, so that a sync need not read the table again.
 * Primary thread. Holds secrets: must never be logged or sent anywhere.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import type { AppliedKeyChange, KeyRow } from "../store/rows.ts";
import type { KnownKey } from "./plan-sync.ts";

export class KnownKeys {
  readonly #bySecret = new Map<string, KnownKey>();
  readonly #secrets = new Map<KeyId, string>();
  #inUse = 0;

  get bySecret(): ReadonlyMap<string, KnownKey> {
    return this.#bySecret;
  }

  /** How many keys are not retired. */
  get inUse(): number {
    return this.#inUse;
  }

  load(rows: readonly KeyRow[]): void {
    for (const row of rows) this.#set(row);
  }

  apply({ added, relabelled, retired }: AppliedKeyChange): void {
    this.load(added);
    this.load(relabelled);
    for (const id of retired) this.#retire(id);
  }

  #set({ id, secret, label, sourceFile, retiredAtMs }: KeyRow): void {
    const wasInUse = this.#bySecret.get(secret)?.isRetired === false;
    const isRetired = retiredAtMs !== null;
    this.#bySecret.set(secret, { id, label, sourceFile, isRetired });
    this.#secrets.set(id, secret);
    this.#inUse += Number(!isRetired) - Number(wasInUse);
  }

  #retire(id: KeyId): void {
    const secret = this.#secrets.get(id);
    const known = secret === undefined ? undefined : this.#bySecret.get(secret);
    if (secret === undefined || known === undefined || known.isRetired) return;
    this.#bySecret.set(secret, { ...known, isRetired: true });
    this.#inUse -= 1;
  }
}
