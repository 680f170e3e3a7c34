/**
 * Copies what a database knows into another: what can be read of a damaged one, or what was learnt while the file could
 * not be used. Primary thread. The request log stays where it is: it is history, and too much to be copied in one turn.
 */
import type Database from "better-sqlite3";
import { systemCodeOf } from "../../control/operator-error.ts";

/** Parents before children, so that references hold. */
const TABLES = [
  "keys",
  "model_states",
  "meta",
  "bans",
  "clients",
  "key_tests",
  "resources",
  "conversations",
] as const;
/** Rows copied of one table; more are left behind. */
const ROWS_MAX = 5_000_000;
/** Resources copied, the newest: there may be millions, and the primary waits meanwhile. */
const RESOURCES_MAX = 200_000;
/** Blocks of 512 conversations copied: 10 MB, and more than most gateways have. */
const CONVERSATION_BLOCKS_MAX = 1_024;
/** What of a table is copied, where that is not all: then what is in the other one stays, whatever it is copied for. */
const PARTS: Readonly<Record<string, string>> = {
  resources: `WHERE rowid > (SELECT max(rowid) FROM resources) - ${RESOURCES_MAX}`,
  conversations: `WHERE block < ${CONVERSATION_BLOCKS_MAX}`,
};
const WHOLE_TABLES = TABLES.filter((table) => !(table in PARTS));

type Row = Record<string, unknown>;

export interface CopyReport {
  readonly rows: number;
  /** Tables of which not every row could be read. */
  readonly incomplete: readonly string[];
}

/**
 * Copies every row that can be read, in one transaction of `to`.
 * @param how `keep`: what is in `to` already stays; `replace`: the copied row takes its place; `only`: afterwards `to`
 *   has no other rows, but for resources and conversations
 * @throws the error of `to` when it cannot be written; then nothing was copied
 */
export function copyTables(
  from: Database.Database,
  to: Database.Database,
  how: "keep" | "replace" | "only",
): CopyReport {
  const incomplete: string[] = [];
  let rows = 0;
  const copy = to.transaction(() => {
    if (how === "only") for (const table of WHOLE_TABLES.toReversed()) to.exec(`DELETE FROM ${table}`);
    for (const table of TABLES) {
      const copied = copyTable(from, to, table, how === "keep" ? "IGNORE" : "REPLACE");
      rows += copied.rows;
      if (!copied.isWhole) incomplete.push(table);
    }
  });
  copy.immediate();
  return { rows, incomplete };
}

function copyTable(
  from: Database.Database,
  to: Database.Database,
  table: string,
  onConflict: "IGNORE" | "REPLACE",
): { readonly rows: number; readonly isWhole: boolean } {
  let rows = 0;
  const columns = columnsOf(to, table);
  const source = openRows(from, table);
  if (source === undefined) return { rows, isWhole: false };
  const insert = to.prepare(
    `INSERT OR ${onConflict} INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
  );
  const replaced = table === "keys" && onConflict === "REPLACE" ? sameSecretDeleter(to) : undefined;
  for (;;) {
    const row = nextRow(source);
    if (row === "unreadable") return { rows, isWhole: false };
    if (row === undefined) return { rows, isWhole: true };
    if (rows >= ROWS_MAX) {
      source.return?.();
      return { rows, isWhole: false };
    }
    replaced?.(row);
    if (isTaken(() => insert.run(...columns.map((column) => row[column] ?? null)))) rows += 1;
  }
}

/** A row that breaks a rule of the table was damaged, or belongs to one that was: it is left out. */
function isTaken(insert: () => Database.RunResult): boolean {
  try {
    return insert().changes > 0;
  } catch (error) {
    if (!systemCodeOf(error).startsWith("SQLITE_CONSTRAINT")) throw error;
    return false;
  }
}

/** The same key under another id gives way: the ids of the gateway that runs are those that count. It keeps what it made. */
function sameSecretDeleter(to: Database.Database): (row: Row) => void {
  const move = to.prepare<[unknown, unknown, unknown]>(
    "UPDATE resources SET key_id = ? WHERE key_id = (SELECT id FROM keys WHERE secret = ? AND id <> ?)",
  );
  const remove = to.prepare<[unknown, unknown]>("DELETE FROM keys WHERE secret = ? AND id <> ?");
  return ({ secret, id }) => {
    move.run(id, secret, id);
    remove.run(secret, id);
  };
}

function columnsOf(database: Database.Database, table: string): string[] {
  return (database.pragma(`table_info(${table})`) as { readonly name: string }[]).map(({ name }) => name);
}

function openRows(from: Database.Database, table: string): Iterator<Row> | undefined {
  try {
    return from.prepare<[], Row>(`SELECT * FROM ${table} ${PARTS[table] ?? ""}`).iterate();
  } catch {
    // Of an older schema, or so damaged that it is not even a table.
    return undefined;
  }
}

function nextRow(source: Iterator<Row>): Row | "unreadable" | undefined {
  try {
    const { done, value } = source.next();
    return done === true ? undefined : value;
  } catch {
    return "unreadable";
  }
}
