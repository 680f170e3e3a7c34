/**
 * Follows the request log while the gateway writes it. Command line. It reads the database file and nothing else, so it
 * costs the gateway nothing; each read is short and bounded.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { LoggedRequest, RequestFilter, RequestLogReader } from "../primary/store/request-log-reader.ts";

/** The gateway writes its rows as often. */
const POLL_MS = 500;
/** Rows read at once. */
const BATCH_ROWS = 500;

export interface FollowOptions {
  readonly log: RequestLogReader;
  readonly filter: RequestFilter;
  /** Rows up to this one are known. */
  readonly afterId: number;
  readonly show: (row: LoggedRequest) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Shows every row that passes, in order, once; resolves when aborted. */
export async function followLog({ log, filter, afterId, show, signal }: FollowOptions): Promise<void> {
  let lastId = afterId;
  while (!signal.aborted) {
    const upToId = log.newestId();
    const rows = log.within({ afterId: lastId, upToId }, filter, BATCH_ROWS);
    for (const row of rows) show(row);
    // A full batch may have left some behind; what did not pass is not read again.
    const isWhole = rows.length < BATCH_ROWS;
    lastId = isWhole ? upToId : (rows.at(-1)?.id ?? upToId);
    if (isWhole) await pause(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}
