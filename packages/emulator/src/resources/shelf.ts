/**
 * What projects own, of one kind: by name over all projects, because a foreign name must be told from an unknown one in
 * the log though Google answers both alike. Pure but for its own maps; the time is passed in. Bounded per project.
 */
import { Refusal, upstreamError } from "../error-bodies.ts";

/** Resources of one kind that a project may hold; one more is refused. */
export const RESOURCES_PER_PROJECT_MAX = 10_000;

export interface ShelfOptions<T> {
  /** In place of {@link RESOURCES_PER_PROJECT_MAX}. */
  readonly perProjectMax?: number;
  /** Told of every resource that goes, deleted or expired. */
  readonly removed?: (value: T) => void;
}

export interface Entry<T> {
  /** As in requests: `files/abc`. */
  readonly name: string;
  /** Name of the project. */
  readonly owner: string;
  readonly value: T;
  /** Grows with each resource of the emulator; lists and their page tokens go by it. */
  readonly sequence: number;
  /** Milliseconds since the epoch; from then on it is as good as deleted. Infinity for ever. */
  readonly expiresAtMs: number;
}

export class Shelf<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #counts = new Map<string, number>();
  readonly #options: ShelfOptions<T>;
  #nextSequence = 1;

  constructor(options: ShelfOptions<T> = {}) {
    this.#options = options;
  }

  /** Keeps a new resource, or puts it in the place of the one of the same name. Refuses above the bound. */
  put(name: string, owner: string, value: T, expiresAtMs = Infinity): Entry<T> {
    const known = this.#entries.get(name);
    if (known === undefined) this.#count(owner, 1);
    const entry = { name, owner, value, sequence: known?.sequence ?? this.#nextSequence, expiresAtMs };
    if (known === undefined) this.#nextSequence += 1;
    this.#entries.set(name, entry);
    return entry;
  }

  /** The resource of a name, whoever owns it; expired ones are let go. */
  find(name: string, nowMs: number): Entry<T> | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.expiresAtMs > nowMs) return entry;
    this.remove(name);
    return undefined;
  }

  remove(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#count(entry.owner, -1);
    this.#options.removed?.(entry.value);
  }

  /** A project's resources, the newest first; expired ones are let go. */
  ofProject(owner: string, nowMs: number): readonly Entry<T>[] {
    const own: Entry<T>[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.expiresAtMs <= nowMs) this.remove(entry.name);
      else if (entry.owner === owner) own.push(entry);
    }
    return own.toSorted((one, other) => other.sequence - one.sequence);
  }

  #count(owner: string, change: number): void {
    const count = (this.#counts.get(owner) ?? 0) + change;
    if (count > (this.#options.perProjectMax ?? RESOURCES_PER_PROJECT_MAX)) {
      throw new Refusal(upstreamError(429, "RESOURCE_EXHAUSTED", "Too many resources of this kind."));
    }
    this.#counts.set(owner, count);
  }
}
