/**
 * Opens the file of the database for writing and makes it ready: private, of the present schema, sound.
 * Primary thread. It must never write into a file that is not ours.
 */
import Database from "better-sqlite3";
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { OperatorError } from "../../control/operator-error.ts";
import { DamagedDatabase, isDamage, requireSound } from "./damage.ts";
import { lockPathOf } from "./lock.ts";
import { createPrivately } from "./private-file.ts";
import { APPLICATION_ID, migrate } from "./schema.ts";

/** How long a statement waits for a reader that holds the file, milliseconds. */
export const BUSY_TIMEOUT_MS = 2_000;
/** The same for the gateway once it serves: what cannot be written now is written half a second later. */
const SERVING_BUSY_TIMEOUT_MS = 50;

/** How every SQLite file begins. */
const MAGIC = "SQLite format 3\0";
/** Where SQLite keeps the application id in the file, big-endian, and how long the header is. Bytes. */
const APPLICATION_ID_OFFSET = 68;
const HEADER_BYTES = 100;

/**
 * The database in the file, which is created with mode 0600 when there is none.
 * @param wasKnownPlace see {@link isKnownPlace}
 * @throws DamagedDatabase when the file was ours and is damaged, OperatorError when it is another's or a newer
 *   gateway's, else the error of SQLite or the system
 */
export function openDatabase(path: string, wasKnownPlace: boolean): Database.Database {
  createPrivately(path);
  let opened: Database.Database | undefined;
  try {
    opened = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    migrate(opened);
    requireSound(opened);
    configure(opened);
    return opened;
  } catch (error) {
    opened?.close();
    if (isDamage(error) && wasOurs(path, wasKnownPlace))
      throw new DamagedDatabase("the file is damaged", { cause: error });
    throw error;
  }
}

/** A database of the same schema that lives in memory only. */
export function memoryDatabase(): Database.Database {
  const database = new Database(":memory:");
  migrate(database);
  database.pragma("foreign_keys = ON");
  return database;
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

/** Whether a gateway has used this place before: it leaves its lock there. To be asked before the lock is taken. */
export function isKnownPlace(path: string): boolean {
  return existsSync(lockPathOf(path));
}

/**
 * Refuses a file that is no database at all where no gateway has been: a slip of `--database` must not cost a letter.
 * @throws OperatorError
 */
export function refuseStrangeFile(path: string): void {
  if (isKnownPlace(path) || headerOf(path).length === 0 || isDatabaseHeader(headerOf(path))) return;
  throw new OperatorError(
    "database-foreign",
    `${path} is not an SQLite database: name another file with --database.`,
  );
}

/**
 * Whether a file that is no sound database was once ours: its header says so or, where it has lost its header, a gateway
 * has been there.
 */
function wasOurs(path: string, wasKnownPlace: boolean): boolean {
  const header = headerOf(path);
  if (isDatabaseHeader(header)) return header.readUInt32BE(APPLICATION_ID_OFFSET) === APPLICATION_ID;
  return wasKnownPlace;
}

function isDatabaseHeader(header: Buffer): boolean {
  return header.length === HEADER_BYTES && header.toString("latin1", 0, MAGIC.length) === MAGIC;
}

/** The first bytes; none of a file that is empty or not there. */
function headerOf(path: string): Buffer {
  if (!existsSync(path)) return Buffer.alloc(0);
  const header = Buffer.alloc(HEADER_BYTES);
  const file = openSync(path, "r");
  try {
    return header.subarray(0, readSync(file, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(file);
  }
}
