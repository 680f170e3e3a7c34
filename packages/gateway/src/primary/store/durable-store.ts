/**
 * The store of a gateway that serves: it outlives what happens to the file. A damaged file is set aside and a new one
 * takes its place; while there is no file that can be used, a database in memory stands in for it.
 * Primary thread. Whoever holds one of its tables may keep it: the table leads to whatever database is there.
 */
import type Database from "better-sqlite3";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Logger } from "pino";
import { OperatorError, systemCodeOf } from "../../control/operator-error.ts";
import type { DatabaseState } from "../../shared-counters.ts";
import { adoptKeys, type RememberedKey } from "./adopt-keys.ts";
import { Checkpoints } from "./checkpoints.ts";
import { copyTables } from "./copy-tables.ts";
import { isDamage, isHindrance, setAside } from "./damage.ts";
import { memoryDatabase, openDatabase } from "./open-database.ts";
import { snapshotOf } from "./snapshot.ts";
import { claimPlace, explained, type Place, type Store } from "./store.ts";
import { guardedTables } from "./guarded-tables.ts";
import { type Tables, tablesOf } from "./tables.ts";

export interface DurableStoreOptions {
  /** The file, as the operator named it. */
  readonly path: string;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** How often it is looked whether the file is still there and can be written again, milliseconds. */
const LOOK_INTERVAL_MS = 2_000;
/** A trouble that lasts is told this often, milliseconds. */
const COMPLAINT_INTERVAL_MS = 30_000;
/** Written and deleted again to see that the disk has room for more than a row. Characters. */
const PROOF_LENGTH = 256 * 1024;
const PROOF_NAME = "proof";
/** Ids that a stand-in gives out begin here, beyond those in a file that could not be read. */
const STAND_IN_IDS_FROM = 1_000_000_000;

/** Where the rows are. */
type Ground =
  | { readonly kind: "file"; readonly database: Database.Database; readonly inode: bigint }
  /** `isWhole`: it knows all that the file knows, but for the request log. */
  | { readonly kind: "memory"; readonly database: Database.Database; readonly isWhole: boolean };

export class DurableStore implements Store {
  readonly keys: Tables["keys"];
  readonly models: Tables["models"];
  readonly requests: Tables["requests"];
  readonly meta: Tables["meta"];
  readonly bans: Tables["bans"];
  readonly clients: Tables["clients"];
  readonly tests: Tables["tests"];
  readonly resources: Tables["resources"];
  readonly conversations: Tables["conversations"];
  readonly #options: DurableStoreOptions;
  readonly #looking: NodeJS.Timeout;
  readonly #listeners: (() => void)[] = [];
  #place: Place | undefined;
  #ground: Ground;
  #tables: Tables;
  /** Of the file; none while a database in memory stands in for it. */
  #checkpoints: Checkpoints | undefined;
  /** The trouble there is: since when, and the system's name for it. */
  #trouble: { readonly sinceMs: number; readonly code: string } | undefined;
  #complainedAtMs = Number.NEGATIVE_INFINITY;

  /** @throws OperatorError when another gateway uses the file, it is not ours, or it can never be there */
  constructor(options: DurableStoreOptions) {
    this.#options = options;
    try {
      this.#ground = this.#begin();
    } catch (error) {
      this.#place?.lock[Symbol.dispose]();
      throw error;
    }
    this.#tables = this.#tablesOn(this.#ground);
    this.#checkpoints = this.#checkpointsOf(this.#ground);
    const tables = guardedTables(this.#tables, {
      current: () => this.#tables,
      failed: (error) => this.#failed(error),
    });
    ({
      keys: this.keys,
      models: this.models,
      requests: this.requests,
      meta: this.meta,
      bans: this.bans,
      clients: this.clients,
      tests: this.tests,
      resources: this.resources,
      conversations: this.conversations,
    } = tables);
    this.#looking = setInterval(() => this.#look(), LOOK_INTERVAL_MS);
    this.#looking.unref();
  }

  /** The file, symbolic links resolved where it is there. */
  get path(): string {
    return this.#place?.path ?? resolve(this.#options.path);
  }

  get state(): DatabaseState {
    if (this.#ground.kind === "memory") return "in-memory";
    return this.#trouble === undefined ? "ok" : "failing";
  }

  /**
   * Hears when another database has taken the place of the one there was: what memory knows may have to be saved again.
   * The tables hold what could be read of the old one.
   */
  onReplaced(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Keys in use that could not be read any more, under the ids they have; those that are there stay as they are. */
  adoptKeys(keys: Iterable<RememberedKey>): void {
    adoptKeys(this.#ground.database, keys, this.#options.now());
  }

  [Symbol.dispose](): void {
    clearInterval(this.#looking);
    // The last chance to keep what was learnt since the file was lost.
    if (this.#ground.kind === "memory") this.#returnToFile();
    this.#checkpoints?.[Symbol.dispose]();
    this.#ground.database.close();
    this.#place?.lock[Symbol.dispose]();
  }

  #begin(): Ground {
    const { path } = this.#options;
    return explained(path, () => {
      try {
        this.#place = claimPlace(path);
        return this.#openFile(this.#place);
      } catch (error) {
        if (isDamage(error) && this.#place !== undefined) return this.#replaceDamaged(this.#place);
        if (error instanceof OperatorError || !isHindrance(error)) throw error;
        return this.#standIn(error);
      }
    });
  }

  /** The file, if there is room to write into it. */
  #openFile({ path, wasKnown }: Place): Ground {
    const database = openDatabase(path, wasKnown);
    try {
      prove(database);
    } catch (error) {
      database.close();
      throw error;
    }
    return { kind: "file", database, inode: inodeOf(path) };
  }

  /** At the start: nothing is in memory yet but what can be read of the damaged file. */
  #replaceDamaged(place: Place): Ground {
    const aside = setAside(place.path, this.#options.now());
    this.#options.log.error({ aside }, DAMAGED);
    const rescued = memoryDatabase();
    const rows = snapshotOf(aside, rescued);
    try {
      const ground = this.#openFile(place);
      if (rows !== undefined) copyTables(rescued, ground.database, "only");
      rescued.close();
      return ground;
    } catch (error) {
      if (!isHindrance(error)) throw error;
      this.#troubled(error);
      return { kind: "memory", database: rescued, isWhole: true };
    }
  }

  #standIn(error: unknown): Ground {
    this.#troubled(error);
    const database = memoryDatabase();
    const isWhole = snapshotOf(this.path, database) !== undefined;
    if (!isWhole)
      database.exec(`INSERT INTO sqlite_sequence (name, seq) VALUES ('keys', ${STAND_IN_IDS_FROM})`);
    return { kind: "memory", database, isWhole };
  }

  /** A failure of any table. Deals with it; the caller hears of it all the same. */
  #failed(error: unknown): void {
    if (isDamage(error)) this.#loseFile(error);
    else if (isHindrance(error)) this.#troubled(error);
  }

  /** The file is damaged or gone: everything moves into memory, and from there into a new file when there can be one. */
  #loseFile(error: unknown): void {
    const ground = this.#ground;
    if (ground.kind === "memory") return this.#troubled(error);
    const database = memoryDatabase();
    copyTables(ground.database, database, "keep");
    const isThere = inodeOf(this.path) === ground.inode;
    try {
      // Before the old one is closed: on closing, SQLite deletes what is called as its companions were.
      const aside = isThere ? setAside(this.path, this.#options.now()) : undefined;
      this.#options.log.error({ aside, code: systemCodeOf(error) }, isThere ? DAMAGED : GONE);
    } catch (failure) {
      this.#options.log.error(
        { code: systemCodeOf(failure) },
        "the damaged database file cannot be set aside",
      );
    }
    ground.database.close();
    this.#troubled(error);
    this.#stand({ kind: "memory", database, isWhole: false });
    for (const listener of this.#listeners) listener();
    this.#returnToFile();
  }

  #look(): void {
    const ground = this.#ground;
    if (ground.kind === "memory") return this.#returnToFile();
    if (inodeOf(this.path) !== ground.inode)
      return this.#loseFile(new Error("the file was removed or replaced"));
    if (this.#trouble !== undefined) this.#prove();
  }

  #prove(): void {
    try {
      prove(this.#ground.database);
      this.#recovered();
    } catch (error) {
      this.#failed(error);
    }
  }

  #returnToFile(): void {
    const memory = this.#ground;
    if (memory.kind === "file") return;
    try {
      this.#place ??= claimPlace(this.#options.path);
      const file = this.#openFile(this.#place);
      this.#moveInto(file, memory);
      this.#stand(file);
      memory.database.close();
      this.#recovered();
    } catch (error) {
      this.#troubled(error);
      if (isDamage(error)) this.#setAsideAgain();
    }
  }

  #moveInto(file: Ground, memory: Ground & { readonly kind: "memory" }): void {
    try {
      copyTables(memory.database, file.database, memory.isWhole ? "only" : "replace");
    } catch (error) {
      file.database.close();
      throw error;
    }
  }

  #setAsideAgain(): void {
    try {
      this.#options.log.error({ aside: setAside(this.path, this.#options.now()) }, DAMAGED);
    } catch {
      // Told already, and tried again at the next look.
    }
  }

  #stand(ground: Ground): void {
    this.#checkpoints?.[Symbol.dispose]();
    this.#ground = ground;
    this.#tables = this.#tablesOn(ground);
    this.#checkpoints = this.#checkpointsOf(ground);
  }

  #checkpointsOf({ kind, database }: Ground): Checkpoints | undefined {
    if (kind === "memory") return undefined;
    return new Checkpoints({ database, failed: (error) => this.#failed(error) });
  }

  /** In memory the request log would grow without end: its rows wait where they are, within their bound. */
  #tablesOn({ kind, database }: Ground): Tables {
    const tables = tablesOf(database);
    if (kind === "file") return tables;
    const append = (): never => {
      throw new OperatorError(
        "database-unusable",
        "There is no database file to write the request log into.",
      );
    };
    return { ...tables, requests: { ...tables.requests, append } };
  }

  #troubled(error: unknown): void {
    const nowMs = this.#options.now();
    const code = systemCodeOf(error);
    this.#trouble ??= { sinceMs: nowMs, code };
    if (nowMs - this.#complainedAtMs < COMPLAINT_INTERVAL_MS) return;
    this.#complainedAtMs = nowMs;
    const { sinceMs } = this.#trouble;
    this.#options.log.error({ code, path: this.path, forMs: nowMs - sinceMs }, CANNOT_WRITE);
  }

  #recovered(): void {
    if (this.#trouble === undefined) return;
    const forMs = this.#options.now() - this.#trouble.sinceMs;
    this.#trouble = undefined;
    this.#complainedAtMs = Number.NEGATIVE_INFINITY;
    this.#options.log.warn({ forMs, path: this.path }, "the database is written again");
  }
}

const DAMAGED = "the database file is damaged: it is set aside, and a new one takes its place";
const GONE = "the database file was removed or replaced while the gateway runs: a new one takes its place";
const CANNOT_WRITE = "the database cannot be written; serving goes on from memory";

/** Writes and deletes so much that a success means something. Throws SQLite's error. */
function prove(database: Database.Database): void {
  const write = database.prepare<[string, string]>("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)");
  const remove = database.prepare<[string]>("DELETE FROM meta WHERE name = ?");
  const proof = database.transaction(() => {
    write.run(PROOF_NAME, "x".repeat(PROOF_LENGTH));
    remove.run(PROOF_NAME);
  });
  proof.immediate();
}

/** Tells a file from another at the same path; 0 when there is none. */
function inodeOf(path: string): bigint {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? 0n;
}
