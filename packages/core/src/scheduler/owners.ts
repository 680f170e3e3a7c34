/**
 * Which key is of which project: for whoever knows a resource's key and must find another key of the same project.
 * Part of the scheduler, primary thread; reads only.
 */
import type { KeyId, ProjectId } from "../lease.ts";
import type { KeyPool } from "./key-pool.ts";
import { ownProjectName } from "./records.ts";

/** Pools of more keys are not walked for their projects. */
const KEYS_WALKED_MAX = 4_096;
/** Keys of one project that are looked at for its lowest. */
const SIBLINGS_SEEN_MAX = 1_000;

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

  /**
   * Every project with an enabled key, each by the lowest of these, in ascending order. Undefined when there are more than
   * `max`, or too many keys to be walked.
   */
  projectsUpTo(max: number): readonly KeyId[] | undefined {
    const { keys } = this.#pool;
    if (keys.size > KEYS_WALKED_MAX) return undefined;
    const lowest = new Map<ProjectId, KeyId>();
    for (const { id, project, isEnabled } of keys.values()) {
      if (!isEnabled) continue;
      const known = lowest.get(project.id);
      if (known === undefined && lowest.size === max) return undefined;
      if (known === undefined || id < known) lowest.set(project.id, id);
    }
    return [...lowest.values()].toSorted((one, other) => one - other);
  }

  /** A key of each of at most `max` projects that can serve, evenly spread over all of them, in ascending order. */
  sample(max: number): readonly KeyId[] {
    const keys = this.#pool.roster
      .spread(max)
      .flatMap(({ keys: [key] }) => (key === undefined ? [] : [key.id]));
    return keys.toSorted((one, other) => one - other);
  }

  /** Models that the key's project turned out not to be allowed. */
  closedModelsOf(id: KeyId): readonly string[] {
    const lanes = this.#pool.keys.get(id)?.project.lanes ?? [];
    return lanes.filter(({ state }) => state.kind === "unavailable").map(({ model }) => model.name);
  }

  /** The lowest enabled key of the key's project; undefined when it has none, or there is no such key. */
  lowestOf(id: KeyId): KeyId | undefined {
    let lowest: KeyId | undefined;
    const keys = this.#pool.keys.get(id)?.project.keys ?? [];
    for (const key of keys.slice(0, SIBLINGS_SEEN_MAX))
      if (key.isEnabled && (lowest === undefined || key.id < lowest)) lowest = key.id;
    return lowest;
  }
}
