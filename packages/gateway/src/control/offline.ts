/**
 * What can be told when no gateway runs: the database as it was left, compared with the key files as they are.
 * Command line only. Must never write, and never create the database.
 */
import { fingerprint } from "../primary/keys/fingerprint.ts";
import { parseKeyFile } from "../primary/keys/key-file.ts";
import { listKeyFiles, readKeyFile } from "../primary/keys/key-folder.ts";
import { type FileEntries, type FoundKey, planSync } from "../primary/keys/plan-sync.ts";
import { finish } from "../primary/keys/steps.ts";
import type { KeyRow } from "../primary/store/rows.ts";
import { openStoreReader, type StoreReader } from "../primary/store/store.ts";
import { OperatorError } from "./operator-error.ts";
import type { KeyListRow, KeyTotals, StoppedStatus } from "./types.ts";

/** Requests of this span are counted, milliseconds: a day. */
const COUNTED_MS = 24 * 60 * 60 * 1_000;

/** The part of a list row that only the scheduler's snapshot tells. */
export type KeyStateText = Pick<KeyListRow, "state" | "reason" | "sinceMs" | "retryAtMs">;

export interface OfflineFiles {
  readonly keysDir: string;
  readonly database: string;
  /** Puts the snapshot saved with a key into words; by default a key is only said to be "idle". */
  readonly describe?: (row: KeyRow, nowMs: number) => KeyStateText;
  /** Milliseconds since the epoch; defaults to the system's clock. */
  readonly nowMs?: () => number;
}

/** The keys of database and files together; `new` and `removed` are those the next start will add and retire. */
export async function listOffline(files: OfflineFiles): Promise<readonly KeyListRow[]> {
  using store = openStoreReader(files.database);
  const found = await foundKeys(files.keysDir);
  if (store === undefined && found === undefined) throw nothingThere(files);
  return [...knownRows(files, store, found), ...newRows(store, found)];
}

export async function statusOffline(files: OfflineFiles): Promise<StoppedStatus> {
  const keys = totalsOf(await listOffline(files));
  using store = openStoreReader(files.database);
  if (store === undefined) return { running: false, keys };
  const sinceMs = (files.nowMs ?? Date.now)() - COUNTED_MS;
  return { running: false, keys, requests: { sinceMs, ...store.requests.counts(sinceMs) } };
}

/** Counts rows by state; for a running gateway's report too. */
export function totalsOf(rows: Iterable<Pick<KeyListRow, "state">>): KeyTotals {
  const byState: Record<string, number> = {};
  let total = 0;
  for (const { state } of rows) {
    total += 1;
    byState[state] = (byState[state] ?? 0) + 1;
  }
  return { total, byState };
}

function* knownRows(
  files: OfflineFiles,
  store: StoreReader | undefined,
  found: ReadonlyMap<string, FoundKey> | undefined,
): Generator<KeyListRow> {
  const nowMs = (files.nowMs ?? Date.now)();
  const describe = files.describe ?? (() => ({ state: "idle", reason: null, sinceMs: null }));
  for (const page of store?.keys.pages() ?? []) {
    for (const row of page) {
      const place = found?.get(row.secret);
      const isGone = found !== undefined && place === undefined;
      if (row.retiredAtMs !== null && place === undefined) continue;
      const state = isGone
        ? { state: "removed", reason: "no longer in a key file", sinceMs: null }
        : describe(row, nowMs);
      const { project, projectSource, enabled } = row;
      yield { fingerprint: row.fingerprint, project, projectSource, ...state, file: row.sourceFile, enabled };
    }
  }
}

function* newRows(
  store: StoreReader | undefined,
  found: ReadonlyMap<string, FoundKey> | undefined,
): Generator<KeyListRow> {
  const known = new Set<string>();
  for (const page of store?.keys.pages() ?? []) for (const { secret } of page) known.add(secret);
  for (const [secret, { label, sourceFile }] of found ?? []) {
    if (known.has(secret)) continue;
    yield {
      fingerprint: fingerprint(secret),
      project: label,
      projectSource: label === null ? null : "label",
      state: "new",
      reason: "not yet used by a gateway",
      sinceMs: null,
      file: sourceFile,
      enabled: true,
    };
  }
}

/** Undefined when the folder cannot be read: then nothing can be said to be new or removed. */
async function foundKeys(keysDir: string): Promise<ReadonlyMap<string, FoundKey> | undefined> {
  try {
    const files: FileEntries[] = [];
    for (const { name, path } of (await listKeyFiles(keysDir)).files) {
      const content = await readKeyFile(path);
      if (content.kind === "text") files.push({ name, entries: parseKeyFile(content.text).entries });
    }
    const { add } = finish(planSync(new Map(), files, () => false));
    return new Map(add.map(({ secret, ...place }) => [secret, place]));
  } catch (error) {
    if (error instanceof OperatorError) return undefined;
    throw error;
  }
}

function nothingThere({ database, keysDir }: OfflineFiles): OperatorError {
  return new OperatorError(
    "database-missing",
    `No gateway is running, and there is neither a database at ${database} nor a folder of keys at ${keysDir}: ` +
      "check --database and --keys-dir.",
  );
}
