/**
 * Values by secret, for hundreds of thousands of keys: many small maps, because one large map copies all it holds whenever
 * it grows, a pause of many milliseconds. Keys are never taken out. Primary thread. Holds secrets: must never be logged.
 */

/** Small maps; a power of two. With 500,000 keys each holds some 500. */
const SHARDS = 1024;
/** Characters from the end that tell the shard: even keys that are numbered differ there. */
const HASHED_CHARACTERS = 8;

export class SecretMap<V> {
  readonly #shards: Map<string, V>[] = [];
  /** In the order in which they were first set. */
  readonly #secrets: string[] = [];

  get size(): number {
    return this.#secrets.length;
  }

  get(secret: string): V | undefined {
    return this.#shards[shardOf(secret)]?.get(secret);
  }

  has(secret: string): boolean {
    return this.#shards[shardOf(secret)]?.has(secret) === true;
  }

  set(secret: string, value: V): void {
    const index = shardOf(secret);
    while (this.#shards.length <= index) this.#shards.push(new Map());
    const shard = this.#shards[index] as Map<string, V>;
    if (!shard.has(secret)) this.#secrets.push(secret);
    shard.set(secret, value);
  }

  *[Symbol.iterator](): Generator<[string, V], void, void> {
    for (const secret of this.#secrets) yield [secret, this.get(secret) as V];
  }
}

function shardOf(secret: string): number {
  let hash = 0;
  for (let index = Math.max(secret.length - HASHED_CHARACTERS, 0); index < secret.length; index++) {
    hash = (Math.imul(hash, 31) + secret.charCodeAt(index)) | 0;
  }
  return hash & (SHARDS - 1);
}
