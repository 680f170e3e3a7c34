/**
 * Finds the one project that can see all that a request names, by a key of it that is in the pool. Primary thread.
 * A key that is gone is stood in for by any other of its project, as far as the project was ever named.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import type { Owners } from "@gemini-gateway/core/scheduler/owners";
import { RESOURCES_PER_WISH_MAX } from "../../affinity/messages.ts";
import type { Siblings } from "../siblings.ts";
import type { KeyTable } from "../store/key-table.ts";
import type { ResourceRow } from "../store/resource-table.ts";
import type { AffinityBook } from "./affinity-book.ts";

export interface OwnerFinderOptions {
  readonly book: Pick<AffinityBook, "find">;
  readonly owners: Pick<Owners, "projectIdOf" | "keyOfProject">;
  readonly siblings: Pick<Siblings, "keyOf">;
  readonly keys: Pick<KeyTable, "projectsOf">;
}

/** Whose what a request names is. */
export type Ownership =
  /** `keyId` stands for the project; `resources` are those that are known to be its own. */
  | {
      readonly kind: "one";
      readonly keyId: KeyId;
      readonly resources: readonly string[];
      readonly detail: string | undefined;
    }
  /** Of none of them anything is known. */
  | { readonly kind: "unknown" }
  /** They are of several projects: no key can see them all. */
  | { readonly kind: "differ"; readonly resources: readonly string[] }
  /** Their project has no key in the pool. */
  | { readonly kind: "gone"; readonly resources: readonly string[] };

export class OwnerFinder {
  readonly #options: OwnerFinderOptions;

  constructor(options: OwnerFinderOptions) {
    this.#options = options;
  }

  /** @param names canonical; at most {@link RESOURCES_PER_WISH_MAX} are looked at */
  find(names: readonly string[]): Ownership {
    const { book, owners } = this.#options;
    const known: string[] = [];
    const gone: string[] = [];
    const keyOfProject = new Map<number, KeyId>();
    let detail: string | undefined;
    for (const name of names.slice(0, RESOURCES_PER_WISH_MAX)) {
      const row = book.find(name);
      if (row === undefined) continue;
      const keyId = this.#keyFor(row);
      const projectId = keyId === undefined ? undefined : owners.projectIdOf(keyId);
      if (keyId === undefined || projectId === undefined) {
        gone.push(name);
        continue;
      }
      known.push(name);
      if (!keyOfProject.has(projectId)) keyOfProject.set(projectId, keyId);
      detail ??= row.detail ?? undefined;
    }
    if (gone.length > 0) return { kind: "gone", resources: gone };
    if (keyOfProject.size > 1) return { kind: "differ", resources: known };
    const [keyId] = keyOfProject.values();
    return keyId === undefined ? { kind: "unknown" } : { kind: "one", keyId, resources: known, detail };
  }

  /** A key in the pool of the project that this key is or was of; undefined when there is none. */
  standInFor(keyId: KeyId): KeyId | undefined {
    return this.#keyFor({ keyId, project: null });
  }

  /** The key itself while it is in the pool, else another of its project. */
  #keyFor({ keyId, project }: Pick<ResourceRow, "keyId" | "project">): KeyId | undefined {
    const { owners } = this.#options;
    if (owners.projectIdOf(keyId) !== undefined) return keyId;
    const { label, learnt } = this.#projectsOf(keyId);
    // What is true now of its siblings goes before what was true when the resource was made.
    for (const name of [label, learnt, project]) {
      const sibling = name === null ? undefined : this.#keyOfProject(name);
      if (sibling !== undefined) return sibling;
    }
    return undefined;
  }

  /** A project is called by its label or by Google's number; keys may have come to share it since. */
  #keyOfProject(name: string): KeyId | undefined {
    const { owners, siblings } = this.#options;
    return siblings.keyOf(name) ?? owners.keyOfProject(name);
  }

  #projectsOf(keyId: KeyId): { readonly label: string | null; readonly learnt: string | null } {
    try {
      return this.#options.keys.projectsOf(keyId) ?? { label: null, learnt: null };
    } catch {
      // The store has told of it.
      return { label: null, learnt: null };
    }
  }
}
