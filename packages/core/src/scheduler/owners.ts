/**
 * Which key is of which project: for whoever knows a resource's key and must find another key of the same project.
 * Part of the scheduler, primary thread; reads only.
 */
import type { KeyId, ProjectId } from "../lease.ts";
import type { KeyPool } from "./key-pool.ts";
import { ownProjectName } from "./records.ts";

export class Owners {
  readonly #pool: KeyPool;

  constructor(pool: KeyPool) {
    this.#pool = pool;
  }

  /** The number of the key's project; undefined when there is no such key. */
  projectIdOf(id: KeyId): ProjectId | undefined {
    return this.#pool.keys.get(id)?.project.id;
  }

  /** The name of the key's project; undefined when there is no such key, or it is a project of its own. */
  namedProjectOf(id: KeyId): string | undefined {
    const name = this.#pool.keys.get(id)?.project.name;
    return name === ownProjectName(id) ? undefined : name;
  }

  /** Some key of the project of this name, disabled or not; undefined when no key is of it. */
  keyOfProject(name: string): KeyId | undefined {
    return this.#pool.projectNamed(name)?.keys[0]?.id;
  }

  /** The keys of the key's project, itself among them, at most `max`. */
  siblingsOf(id: KeyId, max: number): readonly KeyId[] {
    const keys = this.#pool.keys.get(id)?.project.keys ?? [];
    return keys.slice(0, max).map((key) => key.id);
  }
}
