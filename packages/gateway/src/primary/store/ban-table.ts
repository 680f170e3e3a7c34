/** The table of bans: what must outlive the process that set them. Primary thread (and the command line). */
import type Database from "better-sqlite3";

/** Why a network is banned: an operator wished it, or it asked too much in an hour. */
export type BanReason = "operator" | "requests-per-hour";

export interface BanRow {
  /** Address or network, as `formatNetwork` writes it. */
  readonly network: string;
  readonly reason: BanReason;
  readonly note: string | null;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When it ends, milliseconds since the epoch; null for never. */
  readonly untilMs: number | null;
}

export interface BanTable {
  load(): readonly BanRow[];
  /** Inserts or replaces, and deletes, in one transaction. */
  change(save: readonly BanRow[], remove: readonly string[]): void;
}

interface RawBan {
  network: string;
  reason: string;
  note: string | null;
  since_ms: number;
  until_ms: number | null;
}

export function banTable(database: Database.Database): BanTable {
  const all = database.prepare<[], RawBan>("SELECT * FROM bans ORDER BY since_ms, network");
  const upsert = database.prepare<[string, string, string | null, number, number | null]>(
    `INSERT INTO bans (network, reason, note, since_ms, until_ms) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (network) DO UPDATE SET
       reason = excluded.reason, note = excluded.note, since_ms = excluded.since_ms, until_ms = excluded.until_ms`,
  );
  const remove = database.prepare<[string]>("DELETE FROM bans WHERE network = ?");
  return {
    load: () => all.all().map(banRow),
    change: database.transaction((save: readonly BanRow[], removed: readonly string[]) => {
      for (const network of removed) remove.run(network);
      for (const { network, reason, note, sinceMs, untilMs } of save) {
        upsert.run(network, reason, note, Math.round(sinceMs), untilMs === null ? null : Math.round(untilMs));
      }
    }),
  };
}

function banRow({ network, reason, note, since_ms: sinceMs, until_ms: untilMs }: RawBan): BanRow {
  return { network, reason: reason === "operator" ? reason : "requests-per-hour", note, sinceMs, untilMs };
}
