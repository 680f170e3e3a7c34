/** Single values that belong to no row: when something was last done, a name given to this database. Primary thread. */
import type Database from "better-sqlite3";

export interface MetaTable {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
}

export function metaTable(database: Database.Database): MetaTable {
  const get = database.prepare<[string], string>("SELECT value FROM meta WHERE name = ?").pluck();
  const set = database.prepare<[string, string]>(
    "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
  );
  return { get: (name) => get.get(name), set: (name, value) => void set.run(name, value) };
}
