/**
 * The keys in use, by id: what a lease needs besides the scheduler's decision. Primary thread.
 * Holds secrets; gives them only to the lease office.
 */
import { IdMap } from "@gemini-gateway/core/id-map";
import type { KeyId } from "@gemini-gateway/core/lease";

export interface RingKey {
  readonly id: KeyId;
  readonly secret: string;
  readonly fingerprint: string;
}

export class KeyRing {
  readonly #keys = new IdMap<RingKey>();

  add(keys: Iterable<RingKey>): void {
    for (const { id, secret, fingerprint } of keys) this.#keys.set(id, { id, secret, fingerprint });
  }

  remove(ids: Iterable<KeyId>): void {
    for (const id of ids) this.#keys.delete(id);
  }

  get(id: KeyId): RingKey | undefined {
    return this.#keys.get(id);
  }

  get size(): number {
    return this.#keys.size;
  }
}
