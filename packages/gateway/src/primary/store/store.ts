/**
 * Opens the database file: one writer, which is the primary thread of the one gateway that holds its lock.
 * The command line opens it for reading when no gateway runs. A worker must never open it.
 */
import { existsSync, realpathSync } from "node:fs";
import Database from "better-sqlite3";
import { OperatorError, systemCodeOf } from "../../control/operator-error.ts";
import { banTable, type BanTable } from "./ban-table.ts";
import { type ClientRows, clientRows } from "./client-rows.ts";
import { keyTable, type KeyTable } from "./key-table.ts";
import { lockDatabase } from "./lock.ts";
import { metaTable, type MetaTable } from "./meta-table.ts";
import { modelStates, type ModelStates } from "./model-states.ts";
import { createPrivately } from "./private-file.ts";
import { requestLog, type RequestLog } from "./request-log.ts";
import { requestLogReader, type RequestLogReader } from "./request-log-reader.ts";
import { testTable, type TestTable } from "./test-table.ts";
import { migrate, requireCurrentVersion } from "./schema.ts";

/** How long a statement waits for a reader that holds the file, milliseconds. */
const BUSY_TIMEOUT_MS = 2_000;
/** The same for the gateway once it serves: what cannot be written now is written half a second later. */
const SERVING_BUSY_TIMEOUT_MS = 50;

export interface Store extends Disposable {
  /** The file, symbolic links resolved. */
  readonly path: string;
  readonly keys: KeyTable;
  readonly models: ModelStates;
  readonly requests: RequestLog;
  readonly meta: MetaTable;
  readonly bans: BanTable;
  readonly clients: ClientRows;
  readonly tests: TestTable;
}

/** What a reader may use of the store. */
export interface StoreReader extends Disposable {
  readonly keys: Pick<KeyTable, "pages" | "load" | "byFingerprint">;
  readonly models: Pick<ModelStates, "load">;
  readonly bans: Pick<BanTable, "load">;
  readonly clients: Pick<ClientRows, "load">;
  readonly tests: Pick<TestTable, "ofKey">;
  readonly requests: Pick<RequestLog, "counts"> & RequestLogReader;
}

/**
 * Opens the database for writing, creates it with mode 0600 when there is none, and brings its schema up to date.
 * @throws OperatorError when another gateway holds it, a newer one wrote it, or the file cannot be used.
 */
export function openStore(path: string): Store {
  using cleanup = new DisposableStack();
  const database = explained(path, () => {
    createPrivately(path);
    cleanup.use(lockDatabase(realpathSync(path)));
    const opened = new Database(realpathSync(path), { timeout: BUSY_TIMEOUT_MS });
    cleanup.defer(() => opened.close());
    migrate(opened);
    configure(opened);
    return opened;
  });
  const held = cleanup.move();
  return {
    path: database.name,
    keys: keyTable(database),
    models: modelStates(database),
    requests: requestLog(database),
    meta: metaTable(database),
    bans: banTable(database),
    clients: clientRows(database),
    tests: testTable(database),
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
    const database = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    try {
      requireCurrentVersion(database);
    } catch (error) {
      database.close();
      throw error;
    }
    return {
      keys: keyTable(database),
      models: modelStates(database),
      bans: banTable(database),
      clients: clientRows(database),
      tests: testTable(database),
      requests: { ...requestLog(database), ...requestLogReader(database) },
      [Symbol.dispose]: () => void database.close(),
    };
  });
}

/**
 * WAL with NORMAL: a commit does not wait for the disk, a crash of the machine may lose the last seconds but never
 * harms the file. `secure_delete = FAST`: the bytes of a purged secret are overwritten where that costs no extra write.
 */
function configure(database: Database.Database): void {
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = NORMAL");
  database.pragma("foreign_keys = ON");
  database.pragma(`busy_timeout = ${SERVING_BUSY_TIMEOUT_MS}`);
  database.pragma("secure_delete = FAST");
}

/** Runs `open` and turns what the system says into words for the operator. */
function explained<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    const code = systemCodeOf(error);
    if (code === "SQLITE_NOTADB" || code === "SQLITE_CORRUPT") {
      throw new OperatorError("database-foreign", `${path} is not an SQLite database, or it is damaged.`);
    }
    const reason = code === "" && error instanceof Error ? error.message : code;
    throw new OperatorError("database-unusable", `The database ${path} cannot be opened (${reason}).`, {
      cause: error,
    });
  }
}
