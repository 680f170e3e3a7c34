/**
 * Opens the database file: one writer, which is the primary thread of the one gateway that holds its lock.
 * The command line opens it for reading when no gateway runs. A worker must never open it.
 */
import { existsSync, realpathSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { OperatorError, systemCodeOf } from "../../control/operator-error.ts";
import type { BanTable } from "./ban-table.ts";
import type { ClientRows } from "./client-rows.ts";
import { isDamage } from "./damage.ts";
import type { KeyTable } from "./key-table.ts";
import { lockDatabase } from "./lock.ts";
import type { ModelStates } from "./model-states.ts";
import { BUSY_TIMEOUT_MS, isKnownPlace, openDatabase, refuseStrangeFile } from "./open-database.ts";
import { openCopy, type OpenCopy } from "./open-copy.ts";
import { createPrivately } from "./private-file.ts";
import type { RequestLog } from "./request-log.ts";
import { requestLogReader, type RequestLogReader } from "./request-log-reader.ts";
import { requireCurrentVersion } from "./schema.ts";
import { type Tables, tablesOf } from "./tables.ts";
import type { ResourceTable } from "./resource-table.ts";
import type { TestTable } from "./test-table.ts";

export interface Store extends Tables, Disposable {
  /** The file, symbolic links resolved. */
  readonly path: string;
}

/** The store of a command, which has the database for itself. */
export interface OpenStore extends Store {
  /** All that `run` writes, or nothing when it throws. */
  atomically<T>(run: () => T): T;
}

/** What a reader may use of the store. */
export interface StoreReader extends Disposable {
  readonly keys: Pick<KeyTable, "pages" | "load" | "byFingerprint">;
  readonly models: Pick<ModelStates, "load">;
  readonly bans: Pick<BanTable, "load">;
  readonly clients: Pick<ClientRows, "load">;
  readonly tests: Pick<TestTable, "ofKey">;
  readonly resources: Pick<ResourceTable, "countOf">;
  readonly requests: Pick<RequestLog, "counts"> & RequestLogReader;
}

/**
 * Opens the database for writing, creates it with mode 0600 when there is none, and brings its schema up to date.
 * @throws OperatorError when another gateway holds it, a newer one wrote it, or the file cannot be used.
 */
export function openStore(path: string): OpenStore {
  using cleanup = new DisposableStack();
  const database = explained(path, () => {
    const place = claimPlace(path);
    cleanup.use(place.lock);
    const opened = openDatabase(place.path, place.wasKnown);
    cleanup.defer(() => opened.close());
    return opened;
  });
  const held = cleanup.move();
  return {
    path: database.name,
    ...tablesOf(database),
    atomically: (run) => database.transaction(run).immediate(),
    [Symbol.dispose]: () => held.dispose(),
  };
}

/**
 * Opens the database for reading; undefined when there is none: nothing is created.
 * @throws OperatorError when it is not a database of this gateway's version.
 */
export function openStoreReader(path: string): StoreReader | undefined {
  if (!existsSync(path)) return undefined;
  return explained(path, () => {
    using cleanup = new DisposableStack();
    const { database } = cleanup.use(openToRead(path));
    requireCurrentVersion(database);
    const tables = tablesOf(database);
    const held = cleanup.move();
    return {
      ...tables,
      requests: { ...tables.requests, ...requestLogReader(database) },
      [Symbol.dispose]: () => held.dispose(),
    };
  });
}

/** The file itself or, where SQLite may not even write beside it, a copy. */
function openToRead(path: string): OpenCopy {
  try {
    const database = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    try {
      database.pragma("schema_version");
    } catch (error) {
      database.close();
      throw error;
    }
    return { database, [Symbol.dispose]: () => void database.close() };
  } catch (error) {
    if (!/^SQLITE_(?:CANTOPEN|READONLY)/.test(systemCodeOf(error)) || !statSync(path).isFile()) throw error;
    return openCopy(path);
  }
}

/** A file that is ours alone. */
export interface Place {
  /** Symbolic links resolved. */
  readonly path: string;
  readonly lock: Disposable;
  /** Whether a gateway was there before. */
  readonly wasKnown: boolean;
}

/** @throws OperatorError when another gateway is there or the file is no database; or the system's error */
export function claimPlace(given: string): Place {
  refuseStrangeFile(given);
  createPrivately(given);
  const path = realpathSync(given);
  const wasKnown = isKnownPlace(path);
  return { path, lock: lockDatabase(path), wasKnown };
}

const REASONS: Readonly<Record<string, string>> = {
  SQLITE_FULL: "the disk is full",
  ENOSPC: "the disk is full",
  SQLITE_BUSY: "another program is writing to it",
  SQLITE_CANTOPEN: "this user may not write there",
  SQLITE_READONLY: "this user may not write there",
  EACCES: "this user may not read or write it",
  EROFS: "the disk is read-only",
  ENOENT: "there is no such folder",
  EISDIR: "it is a folder",
};

/** Runs `open` and turns what the system says into words for the operator. */
export function explained<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    const code = systemCodeOf(error);
    if (isDamage(error)) {
      throw new OperatorError("database-foreign", `${path} is not an SQLite database, or it is damaged.`);
    }
    const reason = code === "" && error instanceof Error ? error.message : code;
    const inWords = REASONS[code] === undefined ? "" : `: ${REASONS[code]}`;
    throw new OperatorError(
      "database-unusable",
      `The database ${path} cannot be opened (${reason})${inWords}.`,
      {
        cause: error,
      },
    );
  }
}
