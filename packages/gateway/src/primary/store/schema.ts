/**
 * The shape of the database file and how an older one becomes the present one.
 * Primary thread only. A published migration must never be edited: add the next one.
 */
import type Database from "better-sqlite3";
import { OperatorError } from "../../control/operator-error.ts";

/** Marks the file as ours (`PRAGMA application_id`), so that another program's database is never touched. */
export const APPLICATION_ID = 0x67_67_77_64;

/**
 * AUTOINCREMENT: the id of a purged key must never name another key in the request log.
 * Label and learnt project are two columns, so that removing a label falls back to what was learnt.
 */
const FIRST_SCHEMA = `
  CREATE TABLE keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    secret TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL UNIQUE,
    project_label TEXT,
    project_learnt TEXT,
    source_file TEXT,
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    added_at_ms INTEGER NOT NULL,
    retired_at_ms INTEGER,
    health TEXT
  ) STRICT;

  CREATE TABLE model_states (
    project TEXT NOT NULL,
    model TEXT NOT NULL,
    state TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (project, model)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE request_log (
    at_ms INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    model TEXT,
    status INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    first_byte_ms INTEGER,
    duration_ms INTEGER NOT NULL,
    bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    prompt_tokens INTEGER,
    output_tokens INTEGER,
    total_tokens INTEGER,
    key_id INTEGER,
    client TEXT
  ) STRICT;
  CREATE INDEX request_log_at ON request_log (at_ms);

  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Who asked and why it failed, as the log line has them. */
const REQUEST_REASONS = `
  ALTER TABLE request_log ADD COLUMN reason TEXT;
  ALTER TABLE request_log ADD COLUMN address TEXT;
`;

/**
 * Networks as `formatNetwork` writes them, no end of a ban for one without end. Of a client's secret only the digest
 * is kept; no limit is 0, as in the options.
 */
const GUARDED_DOOR = `
  CREATE TABLE bans (
    network TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    note TEXT,
    since_ms INTEGER NOT NULL,
    until_ms INTEGER
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE clients (
    name TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    requests_per_minute INTEGER NOT NULL,
    requests_per_day INTEGER NOT NULL,
    tokens_per_minute INTEGER NOT NULL,
    tokens_per_day INTEGER NOT NULL,
    concurrency INTEGER NOT NULL,
    models TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER
  ) STRICT, WITHOUT ROWID;
`;

/** When keys are tested, and why the operator took them out of use. Rows of tests go with their key. */
const HEALTH_TESTS = `
  CREATE TABLE key_tests (
    key_id INTEGER NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    model TEXT NOT NULL,
    due_at_ms INTEGER,
    outcome TEXT NOT NULL,
    http_status INTEGER NOT NULL,
    repeats INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (key_id, model)
  ) STRICT, WITHOUT ROWID;

  ALTER TABLE keys ADD COLUMN note TEXT;
  ALTER TABLE keys ADD COLUMN noted_at_ms INTEGER;
`;

/**
 * Whose key made what only its project can see. A rowid tells what was saved last. Without a reference to the key: its
 * project may have others when it is gone.
 */
const OWNED_RESOURCES = `
  CREATE TABLE resources (
    name TEXT NOT NULL UNIQUE,
    key_id INTEGER NOT NULL,
    project TEXT,
    detail TEXT,
    learnt_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER
  ) STRICT;
  CREATE INDEX resources_expiry ON resources (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
  CREATE INDEX resources_key ON resources (key_id);
`;

/**
 * Which keys made something of a kind, for lists. Interactions are never listed and are most of all resources; names that
 * are digests are of kinds that are never listed either.
 */
const HOLDERS = `
  CREATE INDEX resources_holder ON resources (substr(name, 1, instr(name, '/') - 1), key_id)
    WHERE name NOT GLOB 'interactions/*' AND name NOT GLOB '*/~*';
`;

/** Which key served which conversation last, many to a row: see affinity/conversation-block.ts. */
const CONVERSATIONS = `
  CREATE TABLE conversations (block INTEGER PRIMARY KEY, entries BLOB NOT NULL) STRICT;
`;

const MIGRATIONS: readonly string[] = [
  FIRST_SCHEMA,
  REQUEST_REASONS,
  GUARDED_DOOR,
  HEALTH_TESTS,
  OWNED_RESOURCES,
  HOLDERS,
  CONVERSATIONS,
];

/** The version this gateway writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Brings the database to {@link SCHEMA_VERSION}, whole or not at all. Throws OperatorError when it cannot. */
export function migrate(database: Database.Database): void {
  const upgrade = database.transaction(() => {
    const from = versionOf(database);
    for (const statements of MIGRATIONS.slice(from)) database.exec(statements);
    if (from === SCHEMA_VERSION) return;
    database.pragma(`application_id = ${APPLICATION_ID}`);
    database.pragma(`user_version = ${SCHEMA_VERSION}`);
  });
  upgrade.immediate();
}

/** For a reader, who may not migrate: throws OperatorError unless the database is of this very version. */
export function requireCurrentVersion(database: Database.Database): void {
  const version = versionOf(database);
  if (version === SCHEMA_VERSION) return;
  throw new OperatorError(
    "database-older",
    `The database ${database.name} has version ${version}, this gateway reads ${SCHEMA_VERSION}: ` +
      "start the gateway once and it brings the file up to date.",
  );
}

function versionOf(database: Database.Database): number {
  const applicationId = Number(database.pragma("application_id", { simple: true }));
  const version = Number(database.pragma("user_version", { simple: true }));
  if (applicationId === 0 && version === 0 && isEmpty(database)) return 0;
  if (applicationId !== APPLICATION_ID) {
    throw new OperatorError(
      "database-foreign",
      `${database.name} is a database of another program: give the gateway a file of its own with --database.`,
    );
  }
  if (version > SCHEMA_VERSION) {
    throw new OperatorError(
      "database-newer",
      `The database ${database.name} has version ${version}, but this gateway knows versions up to ` +
        `${SCHEMA_VERSION}: run the newer gateway that wrote it, or give this one its own --database.`,
    );
  }
  return version;
}

function isEmpty(database: Database.Database): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
}
