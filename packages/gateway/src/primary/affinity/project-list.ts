/**
 * Says which projects may hold something of a kind, for lists that are the union over them. Primary thread.
 * A pool of few projects is told whole: clients may have made things without this gateway. Of a large one those that are
 * known to hold something. Each has its place in the order by a key: the lowest of the project, in a large pool the lowest
 * that made something of the kind.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import type { Owners } from "@gemini-gateway/core/scheduler/owners";
import type { ListedProject, ProjectsAsk, ProjectsTold } from "../../affinity/project-messages.ts";
import type { KeyRing } from "../key-ring.ts";
import type { AffinityBook } from "./affinity-book.ts";
import type { OwnerFinder } from "./owner-finder.ts";

export interface ProjectListOptions {
  readonly book: Pick<AffinityBook, "holdersFrom" | "holds" | "formerOwnerOf">;
  readonly finder: Pick<OwnerFinder, "find" | "standInFor">;
  readonly owners: Pick<
    Owners,
    "projectsUpTo" | "sample" | "projectIdOf" | "lowestOf" | "siblingsOf" | "closedModelsOf"
  >;
  readonly ring: Pick<KeyRing, "get">;
  /** Most projects that one page asks. */
  readonly projectsMax: () => number;
}

/** Every project has some: of a large pool a sample stands for all. */
const MODELS = "models";
/** Digits of a key's id: ids of projects are compared as text. */
const ID_DIGITS = 12;
/** Keys of one project of which it is asked whether they come before in the order. */
const SIBLINGS_SEEN_MAX = 64;
/** Keys that made something, looked at for each project of the answer. */
const HOLDERS_PER_PROJECT = 4;

export class ProjectList {
  readonly #options: ProjectListOptions;

  constructor(options: ProjectListOptions) {
    this.#options = options;
  }

  tell({ id, collection, from, ownerOf }: ProjectsAsk): ProjectsTold {
    const { owners, projectsMax } = this.#options;
    const max = projectsMax();
    const all = owners.projectsUpTo(max);
    const told = { type: "projects.told", id, isEmptyPool: all?.length === 0 } as const;
    if (collection === MODELS) return { ...told, projects: this.#forModels(all ?? owners.sample(max)) };
    const isWhole = all !== undefined;
    const begin = ownerOf === "" ? this.#projectAt(from) : this.#ownerOf(ownerOf, collection, isWhole);
    const first = begin?.id ?? from;
    // One more than a page may ask shows that there are more.
    const some =
      all?.flatMap((keyId) => this.#listed(keyId, keyId)) ?? this.#holders(collection, first, max + 2);
    const others = some.filter((project) => project.id >= first && !this.#isOf(begin, project.keyId));
    const projects = (begin === undefined ? others : [begin, ...others]).slice(0, max + 1);
    return ownerOf === "" || begin === undefined
      ? { ...told, projects }
      : { ...told, projects, owner: begin.id };
  }

  /**
   * The project that a list goes on with keeps the id by which it was begun, wherever it would stand by now: its page
   * token is known by it.
   */
  #projectAt(id: string): ListedProject | undefined {
    const { finder, owners, ring } = this.#options;
    const keyId = finder.standInFor(keyIn(id));
    if (keyId === undefined) return undefined;
    const named = id.slice(ID_DIGITS + 1);
    const isSame = owners
      .siblingsOf(keyId, SIBLINGS_SEEN_MAX)
      .some((key) => ring.get(key)?.fingerprint === named);
    const lowest = isSame ? owners.lowestOf(keyId) : undefined;
    return this.#listed(keyIn(id), lowest).map((project) => ({ ...project, id }))[0];
  }

  #isOf(project: ListedProject | undefined, keyId: KeyId): boolean {
    const { owners } = this.#options;
    return project !== undefined && owners.projectIdOf(project.keyId) === owners.projectIdOf(keyId);
  }

  #forModels(keys: readonly KeyId[]): ListedProject[] {
    return keys.flatMap((keyId) => {
      const closedModels = this.#options.owners.closedModelsOf(keyId);
      return this.#listed(keyId, keyId).map((project) => ({ ...project, closedModels }));
    });
  }

  /** @param first id of a project */
  #holders(collection: string, first: string, max: number): ListedProject[] {
    const { book, owners, finder } = this.#options;
    const listed = new Map<number, ListedProject>();
    for (const holder of book.holdersFrom(collection, keyIn(first), max * HOLDERS_PER_PROJECT)) {
      const keyId = finder.standInFor(holder);
      const projectId = keyId === undefined ? undefined : owners.projectIdOf(keyId);
      if (keyId === undefined || projectId === undefined || listed.has(projectId)) continue;
      if (this.#firstHolder(collection, holder) !== holder) continue;
      const [project] = this.#listed(holder, owners.lowestOf(keyId));
      if (project !== undefined) listed.set(projectId, project);
      if (listed.size === max) break;
    }
    return [...listed.values()];
  }

  /** The lowest key of this key's project that made something of the kind; itself when it is known to have. */
  #firstHolder(collection: string, holder: KeyId): KeyId {
    const { book, owners } = this.#options;
    const lower = owners.siblingsOf(holder, SIBLINGS_SEEN_MAX).filter((id) => id < holder);
    const holding = lower.filter((id) => book.holds(collection, id));
    return Math.min(holder, ...holding);
  }

  #ownerOf(name: string, collection: string, isWhole: boolean): ListedProject | undefined {
    const { book, finder, owners } = this.#options;
    const found = finder.find([name]);
    // Who deletes what a list shows goes on after what is no more.
    const former = found.kind === "unknown" ? book.formerOwnerOf(name) : undefined;
    const keyId = found.kind === "one" ? found.keyId : former && finder.standInFor(former);
    if (keyId === undefined) return undefined;
    const lowest = owners.lowestOf(keyId);
    const place = isWhole ? lowest : this.#firstHolder(collection, keyId);
    return place === undefined ? undefined : this.#listed(place, lowest)[0];
  }

  /**
   * The key's own name stands beside its number: in another database the number may be another's, whose page tokens are
   * none of this project's.
   */
  #listed(place: KeyId, keyId: KeyId | undefined): ListedProject[] {
    const fingerprint = keyId === undefined ? undefined : this.#options.ring.get(keyId)?.fingerprint;
    if (keyId === undefined || fingerprint === undefined) return [];
    return [{ id: `${String(place).padStart(ID_DIGITS, "0")}-${fingerprint}`, keyId, fingerprint }];
  }
}

/** The number that an id begins with; 0 for what is no id. */
function keyIn(id: string): KeyId {
  const number = Number(id.slice(0, ID_DIGITS));
  return Number.isSafeInteger(number) ? number : 0;
}
