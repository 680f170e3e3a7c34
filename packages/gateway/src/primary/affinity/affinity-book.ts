/**
 * Who made what: which key owns a resource that only its project can see. Answers from memory where it can, else with one
 * row of the database; what is learnt is known at once and written a little later, in batches. Primary thread.
 * A database that cannot be used costs what it alone knows: what was learnt meanwhile is known from memory.
 */
import type { KeyId } from "@gemini-gateway/core/lease";
import type { Logger } from "pino";
import {
  RESOURCE_DETAIL_LENGTH_MAX,
  RESOURCE_NAME_LENGTH_MAX,
  type ResourceEntry,
} from "../../affinity/messages.ts";
import { storedName } from "../../affinity/stored-name.ts";
import { systemCodeOf } from "../../control/operator-error.ts";
import { RecentMap } from "../../affinity/recent-map.ts";
import type { ResourceRow, ResourceTable } from "../store/resource-table.ts";

export interface AffinityBookOptions {
  readonly table: ResourceTable;
  /** Name of the key's project, null for a key without one. */
  readonly projectOf: (keyId: KeyId) => string | null;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Rows kept in memory for being asked for again; those asked for longest ago go first. Some 5 MB. */
export const RECENT_MAX = 16_384;
/** Changes that wait to be written; when the database takes none, the oldest are lost first. Some 20 MB. */
export const UNSAVED_MAX = 65_536;
/** Deleted resources of which it is remembered whose they were. */
const DELETED_MAX = 4_096;
/** So many are lost at once: to take the oldest out of a large Map costs a walk over those taken out before. */
const LOST_AT_ONCE = 1_024;
/** Changes written in one turn: a transaction of some milliseconds. At five turns a second, more than clients make. */
const CHANGES_A_TURN = 500;
/** After a write that failed the next one waits this long, and is complained of this often, milliseconds. */
const WRITE_AGAIN_MS = 2_000;
const COMPLAINT_INTERVAL_MS = 30_000;

export class AffinityBook {
  readonly #options: AffinityBookOptions;
  readonly #recent = new RecentMap<ResourceRow>(RECENT_MAX);
  /** Oldest first; undefined stands for a deletion. */
  readonly #unsaved = new Map<string, ResourceRow | undefined>();
  /** Whose the deleted were, by stored name: lists go on after them. */
  readonly #deleted = new RecentMap<KeyId>(DELETED_MAX);
  #lost = 0;
  #writeAgainAtMs = Number.NEGATIVE_INFINITY;
  #complainedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: AffinityBookOptions) {
    this.#options = options;
  }

  /** Changes not written yet. */
  get unsaved(): number {
    return this.#unsaved.size;
  }

  /** How many resources are known, expired ones among them; 0 while the database cannot be read. */
  get size(): number {
    try {
      return this.#options.table.count();
    } catch {
      // The store has told of it.
      return 0;
    }
  }

  /** From now on these are known to be of their keys. What is absurdly long is left out. */
  learn(entries: readonly ResourceEntry[]): void {
    for (const entry of entries) {
      const { name, keyId } = entry;
      if (name.length > RESOURCE_NAME_LENGTH_MAX || !Number.isSafeInteger(keyId)) continue;
      const known = this.find(name);
      const row = this.#rowOf(entry, known);
      if (known !== undefined && isSaidAlready(known, row)) continue;
      this.#recent.set(row.name, row);
      this.#toSave(row.name, row);
    }
  }

  /** @param known what is known of it so far: what is not said anew stays, if it is of the same project */
  #rowOf({ name, keyId, expiresAtMs, detail }: ResourceEntry, known: ResourceRow | undefined): ResourceRow {
    const { now, projectOf } = this.#options;
    const before = known !== undefined && this.#isSameProject(known.keyId, keyId) ? known : undefined;
    const isDetailKept = detail !== undefined && detail.length <= RESOURCE_DETAIL_LENGTH_MAX;
    return {
      name: storedName(name),
      keyId: before?.keyId ?? keyId,
      project: projectOf(keyId),
      detail: isDetailKept ? detail : (before?.detail ?? null),
      learntAtMs: now(),
      expiresAtMs: expiresAtMs !== undefined && Number.isFinite(expiresAtMs) ? expiresAtMs : null,
    };
  }

  /** What was made with one key of a project and seen with another stays the first one's: its place in lists goes by it. */
  #isSameProject(one: KeyId, other: KeyId): boolean {
    const { projectOf } = this.#options;
    const project = projectOf(one);
    return one === other || (project !== null && project === projectOf(other));
  }

  /** These were deleted. */
  forget(names: readonly string[]): void {
    for (const name of names.map(storedName)) {
      const row = this.#rowOfName(name);
      if (row !== undefined) this.#deleted.set(name, row.keyId);
      this.#recent.delete(name);
      this.#toSave(name, undefined);
    }
  }

  /** Who made the resource; undefined when that is not known, or it has expired. */
  find(name: string): ResourceRow | undefined {
    const row = this.#rowOfName(storedName(name));
    if (row === undefined) return undefined;
    const isOver = row.expiresAtMs !== null && row.expiresAtMs <= this.#options.now();
    return isOver ? undefined : row;
  }

  /** The key that made what has expired or was deleted in this run, as far as that is remembered. */
  formerOwnerOf(name: string): KeyId | undefined {
    const stored = storedName(name);
    return this.#rowOfName(stored)?.keyId ?? this.#deleted.get(stored);
  }

  /** @param stored as `storedName` makes it */
  #rowOfName(stored: string): ResourceRow | undefined {
    return this.#unsaved.has(stored) ? this.#unsaved.get(stored) : this.#recall(stored);
  }

  /**
   * The lowest keys from `fromId` on that made something of this collection, at most `max`, in order. Some that was
   * deleted may still count.
   */
  holdersFrom(collection: string, fromId: KeyId, max: number): readonly KeyId[] {
    const prefix = `${collection}/`;
    const unsaved = new Set<KeyId>();
    for (const [name, row] of this.#unsaved)
      if (row !== undefined && row.keyId >= fromId && name.startsWith(prefix)) unsaved.add(row.keyId);
    const holders = new Set<KeyId>();
    let holder = this.#storedHolder(collection, fromId);
    while (holder !== undefined && holders.size < max) {
      holders.add(holder);
      holder = this.#storedHolder(collection, holder + 1);
    }
    return [...holders.union(unsaved)].toSorted((one, other) => one - other).slice(0, max);
  }

  /** Whether the key is known to have made something of this collection; what is not written yet does not count. */
  holds(collection: string, keyId: KeyId): boolean {
    return this.#storedHolder(collection, keyId) === keyId;
  }

  #storedHolder(collection: string, fromId: KeyId): KeyId | undefined {
    try {
      return this.#options.table.holderFrom(collection, fromId);
    } catch (error) {
      this.#complain(error, "owners of resources cannot be read from the database: some are not listed");
      return undefined;
    }
  }

  /** Writes some of what is not written yet. To be called several times a second. */
  tick(): void {
    if (this.#unsaved.size > 0 && this.#options.now() >= this.#writeAgainAtMs) this.#write();
  }

  /** Writes everything, unless the database refuses; at the end of the process. */
  flush(): void {
    while (this.#unsaved.size > 0 && this.#write());
  }

  /** Another database has taken the place of the one there was: what is in memory is written again. */
  forgetStored(): void {
    for (const [name, row] of this.#recent.entries()) {
      if (!this.#unsaved.has(name)) this.#toSave(name, row);
    }
  }

  #recall(name: string): ResourceRow | undefined {
    const recent = this.#recent.get(name);
    if (recent !== undefined) return recent;
    const row = this.#read(name);
    if (row !== undefined) this.#recent.set(name, row);
    return row;
  }

  #read(name: string): ResourceRow | undefined {
    try {
      return this.#options.table.get(name);
    } catch (error) {
      this.#complain(error, "owners of resources cannot be read from the database: some are not known");
      return undefined;
    }
  }

  #toSave(name: string, row: ResourceRow | undefined): void {
    this.#unsaved.delete(name);
    this.#unsaved.set(name, row);
    if (this.#unsaved.size <= UNSAVED_MAX) return;
    for (const lost of this.#unsaved.keys().take(LOST_AT_ONCE)) this.#unsaved.delete(lost);
    this.#lost += LOST_AT_ONCE;
  }

  /** Says whether it could be written. */
  #write(): boolean {
    const batch = [...this.#unsaved.entries().take(CHANGES_A_TURN)];
    try {
      this.#options.table.change(
        batch.flatMap(([, row]) => row ?? []),
        batch.flatMap(([name, row]) => (row === undefined ? [name] : [])),
      );
    } catch (error) {
      this.#writeAgainAtMs = this.#options.now() + WRITE_AGAIN_MS;
      this.#complain(error, "owners of resources wait in memory to be written");
      return false;
    }
    for (const [name] of batch) this.#unsaved.delete(name);
    return true;
  }

  #complain(error: unknown, what: string): void {
    const nowMs = this.#options.now();
    if (nowMs - this.#complainedAtMs < COMPLAINT_INTERVAL_MS) return;
    this.#complainedAtMs = nowMs;
    const { size: unsaved } = this.#unsaved;
    this.#options.log.error({ code: systemCodeOf(error), unsaved, lost: this.#lost }, what);
  }
}

/** Ends that were guessed differ by the time at which they were: so much is no news. */
const EXPIRY_DRIFT_MS = 60_000;

/** A list tells again of what is known: it need not be written again. */
function isSaidAlready(known: ResourceRow, row: ResourceRow): boolean {
  if (known.keyId !== row.keyId || known.project !== row.project) return false;
  if (row.detail !== known.detail) return false;
  if (known.expiresAtMs === null || row.expiresAtMs === null) return known.expiresAtMs === row.expiresAtMs;
  return Math.abs(known.expiresAtMs - row.expiresAtMs) <= EXPIRY_DRIFT_MS;
}
