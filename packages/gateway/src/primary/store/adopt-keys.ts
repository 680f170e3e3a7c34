/**
 * Puts keys that the gateway still has in memory into a database that has lost them. Primary thread. Holds secrets.
 */
import type Database from "better-sqlite3";
import type { KeyId } from "@gemini-gateway/core/lease";

/** A key as it is known without the database. */
export interface RememberedKey {
  readonly id: KeyId;
  readonly secret: string;
  readonly fingerprint: string;
  readonly label: string | null;
  readonly sourceFile: string | null;
  readonly enabled: boolean;
}

/** Inserts those that are not there, in one transaction. */
export function adoptKeys(database: Database.Database, keys: Iterable<RememberedKey>, nowMs: number): void {
  const insert = database.prepare<(string | number | null)[]>(
    `INSERT OR IGNORE INTO keys (id, secret, fingerprint, project_label, source_file, enabled, added_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const adopt = database.transaction(() => {
    for (const { id, secret, fingerprint, label, sourceFile, enabled } of keys) {
      insert.run(id, secret, fingerprint, label, sourceFile, enabled ? 1 : 0, Math.round(nowMs));
    }
  });
  adopt();
}
