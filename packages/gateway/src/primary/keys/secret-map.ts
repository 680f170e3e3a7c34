/**
 * Values by secret, for hundreds of thousands of keys: many small maps, because one large map copies all it holds whenever
 * it grows, a pause of many milliseconds. Keys are never taken out. Primary thread. Holds secrets: must never be logged.
 */

/** Small maps; a power of two. With 500,000 keys each holds some 500. */
const SHARDS = 1024;
/** Characters from the end that tell the shard: even keys that are numbered differ there. */
const HASHED_CHARACTERS = 8;

export class SecretMap<V> {
  readonly #shards: (Map<string, V> | undefined)[] = Array.from({ length: SHARDS });

  get(secret: string): V | undefined {
    return this.#shards[shardOf(secret)]?.get(secret);
  }

  set(secret: string, value: V): void {
    const index = shardOf(secret);
    const shard = this.#shards[index] ?? new Map<string, V>();
    this.#shards[index] = shard;
    shard.set(secret, value);
  }

  /** In no order that means anything. */
  *values(): Generator<V, void, void> {
    for (const shard of this.#shards) if (shard !== undefined) yield* shard.values();
  }
}

function shardOf(secret: string): number {
  let hash = 0;
  for (let index = Math.max(secret.length - HASHED_CHARACTERS, 0); index < secret.length; index++) {
    hash = (Math.imul(hash, 31) + secret.charCodeAt(index)) | 0;
  }
  return hash & (SHARDS - 1);
}
