/**
 * Keeps Live sessions with the project that can see what they refer to: a handle resumes a session only with a key of
 * the project that began it. Worker threads.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import { handleInLiveMessage } from "@gemini-gateway/gemini/resources/answer-events";
import { readBody } from "@gemini-gateway/gemini/resources/read-body";
import type { Resource } from "@gemini-gateway/gemini/resources/resource-name";
import type { Affinity } from "../affinity/affinity.ts";
import { entriesFound } from "../affinity/resource-entries.ts";

export class LiveAffinity {
  readonly #affinity: Pick<Affinity, "resources">;
  readonly #now: () => number;

  constructor(affinity: Pick<Affinity, "resources">, now: () => number) {
    this.#affinity = affinity;
    this.#now = now;
  }

  /** What a setup refers to: the session to be resumed, files, a cache. */
  resourcesOf(setup: Buffer): readonly Resource[] {
    return readBody(setup).resources;
  }

  /** A message of the server passes, which may bring a handle. None is held for it: it is of use only to a next session. */
  heard(message: Buffer, keyId: KeyId): void {
    const told = handleInLiveMessage(message, this.#now());
    if (told !== undefined) this.found([told.resource], keyId);
  }

  /** The project of this key has them. */
  found(resources: readonly Resource[], keyId: KeyId): void {
    const entries = entriesFound(resources, keyId, this.#now());
    if (entries.length > 0) this.#affinity.resources.learn(entries, () => {});
  }
}
