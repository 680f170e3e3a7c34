/**
 * Reads the database of an original: which keys it knew, how they fared, and which addresses it banned. Its schema is not
 * known for sure, so tables are told by the names of their columns. Command line; it reads a copy and changes nothing.
 */
import type Database from "better-sqlite3";
import { openCopy } from "../store/open-copy.ts";
import { columnsIn, KEY_COLUMNS, BAN_COLUMNS, isBanTable, type Columns } from "./original-columns.ts";
import { momentOf, statusOf } from "./original-values.ts";

/** How a key fared in its last test there. */
export interface OriginalKeyState {
  readonly secret: string;
  /** Null when it was tested without one. */
  readonly model: string | null;
  /** HTTP status; 0 when there is none. */
  readonly status: number;
  /** Milliseconds since the epoch; null when unknown. */
  readonly testedAtMs: number | null;
  readonly nextTestAtMs: number | null;
}

export interface OriginalBan {
  readonly address: string;
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
}

export interface OriginalDatabase {
  /** Every key that stands in it. */
  readonly secrets: ReadonlySet<string>;
  readonly states: readonly OriginalKeyState[];
  readonly bans: readonly OriginalBan[];
  /** Tables of which nothing was understood. */
  readonly unknownTables: readonly string[];
  /** Rows of understood tables that made no sense. */
  readonly oddRows: number;
}

/** Rows read of one table; more than any original held. */
const ROWS_MAX = 2_000_000;
/** Keys are long and have no spaces; shorter words in such a column are names or numbers. */
const SECRET = /^[^\s,#]{16,512}$/;

type Row = Readonly<Record<string, unknown>>;

/** @throws the system's or SQLite's error when the file cannot be read as a database */
export function readOriginalDatabase(path: string): OriginalDatabase {
  using copy = openCopy(path);
  return new Reader(copy.database).read();
}

class Reader {
  readonly #database: Database.Database;
  readonly #secrets = new Set<string>();
  /** By table of keys and id there: other tables may name keys so. */
  readonly #byId = new Map<string, string>();
  readonly #states: OriginalKeyState[] = [];
  readonly #bans: OriginalBan[] = [];
  readonly #unknown: string[] = [];
  #oddRows = 0;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  read(): OriginalDatabase {
    const tables = this.#tables();
    const rest = tables.filter((table) => !this.#readKeys(table));
    for (const table of rest) {
      if (!this.#readStates(table) && !this.#readBans(table)) this.#unknown.push(table.name);
    }
    return {
      secrets: this.#secrets,
      states: this.#states,
      bans: this.#bans,
      unknownTables: this.#unknown,
      oddRows: this.#oddRows,
    };
  }

  #tables(): Table[] {
    const names = this.#database
      .prepare<[], string>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'",
      )
      .pluck()
      .all();
    return names.map((name) => ({ name, columns: this.#columnNames(name) }));
  }

  #columnNames(table: string): string[] {
    const info = this.#database.pragma(`table_info(${quoted(table)})`) as { readonly name: string }[];
    return info.map(({ name }) => name);
  }

  #readKeys({ name, columns }: Table): boolean {
    const found = columnsIn(columns, KEY_COLUMNS);
    const { secret: column } = found;
    if (column === undefined || isBanTable(name)) return false;
    const rows = this.#rows(name);
    // A table of settings has a column named key, too.
    if (rows.length > 0 && !rows.some((row) => isSecret(row[column]))) return false;
    for (const row of rows) {
      const secret = row[column];
      if (!isSecret(secret)) {
        this.#oddRows += 1;
        continue;
      }
      this.#secrets.add(secret);
      if (found.id !== undefined) this.#byId.set(String(row[found.id]), secret);
      this.#addState(secret, row, found);
    }
    return true;
  }

  /** A table that names keys by their id. */
  #readStates({ name, columns }: Table): boolean {
    const found = columnsIn(columns, KEY_COLUMNS);
    if (found.keyId === undefined || found.status === undefined) return false;
    for (const row of this.#rows(name)) {
      const secret = this.#byId.get(String(row[found.keyId]));
      if (secret === undefined) this.#oddRows += 1;
      else this.#addState(secret, row, found);
    }
    return true;
  }

  #addState(secret: string, row: Row, found: Columns<typeof KEY_COLUMNS>): void {
    if (found.status === undefined) return;
    const model = found.model === undefined ? null : row[found.model];
    const status = statusOf(row[found.status]);
    const testedAtMs = found.testedAt === undefined ? null : momentOf(row[found.testedAt]);
    const nextTestAtMs = found.nextTestAt === undefined ? null : momentOf(row[found.nextTestAt]);
    if (status === 0) return;
    this.#states.push({
      secret,
      model: typeof model === "string" && model !== "" ? model.replace(/^models\//, "") : null,
      status,
      testedAtMs,
      nextTestAtMs,
    });
  }

  #readBans({ name, columns }: Table): boolean {
    const found = columnsIn(columns, BAN_COLUMNS);
    if (found.address === undefined || !(isBanTable(name) || found.isBanned !== undefined)) return false;
    for (const row of this.#rows(name)) {
      const address = row[found.address];
      if (found.isBanned !== undefined && !isTrue(row[found.isBanned])) continue;
      if (typeof address !== "string") {
        this.#oddRows += 1;
        continue;
      }
      this.#bans.push({
        address: address.trim(),
        sinceMs: found.sinceAt === undefined ? null : momentOf(row[found.sinceAt]),
        untilMs: found.untilAt === undefined ? null : momentOf(row[found.untilAt]),
      });
    }
    return true;
  }

  #rows(table: string): readonly Row[] {
    return this.#database.prepare<[number], Row>(`SELECT * FROM ${quoted(table)} LIMIT ?`).all(ROWS_MAX);
  }
}

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function isSecret(value: unknown): value is string {
  return typeof value === "string" && SECRET.test(value);
}

function isTrue(value: unknown): boolean {
  return value === 1 || (typeof value === "string" && /^(?:1|true|yes)$/i.test(value));
}
