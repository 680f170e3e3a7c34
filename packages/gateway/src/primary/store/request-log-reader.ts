/**
 * Reads the request log for the command line: the newest rows, and those that came since.
 * Command line; opens nothing itself. Each call is one short read of bounded length, so that the gateway's own
 * housekeeping of the file is never held up.
 */
import type Database from "better-sqlite3";
import type { RequestLogRow } from "./rows.ts";

/** A row as it is shown: with its place in the log, and its key's fingerprint for the key. */
export interface LoggedRequest extends Omit<RequestLogRow, "keyId"> {
  /** Grows with every row. */
  readonly id: number;
  /** Null when no key was used, or it has been deleted since. */
  readonly fingerprint: string | null;
}

/** Rows that are asked for; what is absent is not asked about. */
export interface RequestFilter {
  /** Arrived at or after this moment, milliseconds since the epoch. */
  readonly sinceMs?: number;
  readonly fingerprint?: string;
  readonly model?: string;
  /** First and last status. */
  readonly status?: readonly [number, number];
  readonly outcome?: string;
  readonly client?: string;
}

/** Rows between two places of the log. */
export interface RequestSpan {
  readonly afterId: number;
  readonly upToId: number;
}

export interface RequestLogReader {
  /** Id of the newest row; 0 when there is none. */
  newestId(): number;
  /** The newest `rowsMax` rows that pass, oldest first. Reads the whole log when few pass. */
  latest(filter: RequestFilter, rowsMax: number): readonly LoggedRequest[];
  /** The oldest `rowsMax` rows of the span that pass, oldest first. */
  within(span: RequestSpan, filter: RequestFilter, rowsMax: number): readonly LoggedRequest[];
  /** Whether a key with this fingerprint is stored. */
  hasKey(fingerprint: string): boolean;
}

/** The conditions, by what is asked; each is part of a fixed text, values come in as parameters. */
const CONDITIONS = {
  sinceMs: "at_ms >= @sinceMs",
  fingerprint: "key_id = (SELECT id FROM keys WHERE fingerprint = @fingerprint)",
  model: "model = @model",
  status: "status BETWEEN @statusFirst AND @statusLast",
  outcome: "outcome = @outcome",
  client: "client = @client",
} as const satisfies Record<keyof RequestFilter, string>;

const COLUMNS = `request_log.rowid AS id, at_ms AS atMs, request_id AS requestId, method, path, model, status, outcome,
  reason, attempts, first_byte_ms AS firstByteMs, duration_ms AS durationMs, bytes_in AS bytesIn, bytes_out AS bytesOut,
  prompt_tokens AS promptTokens, output_tokens AS outputTokens, total_tokens AS totalTokens, client, address,
  (SELECT fingerprint FROM keys WHERE keys.id = key_id) AS fingerprint`;

type Parameters = Readonly<Record<string, string | number>>;

export function requestLogReader(database: Database.Database): RequestLogReader {
  const newest = database.prepare<[], number | null>("SELECT max(rowid) FROM request_log").pluck();
  const hasKey = database.prepare<[string], number>("SELECT 1 FROM keys WHERE fingerprint = ?").pluck();
  const read = (filter: RequestFilter, order: "ASC" | "DESC", parameters: Parameters): LoggedRequest[] => {
    const asked = Object.keys(CONDITIONS) as (keyof RequestFilter)[];
    const conditions = asked.filter((name) => filter[name] !== undefined).map((name) => CONDITIONS[name]);
    const statement = database.prepare<[Parameters], LoggedRequest>(
      `SELECT ${COLUMNS} FROM request_log
       WHERE ${["request_log.rowid > @afterId AND request_log.rowid <= @upToId", ...conditions].join(" AND ")}
       ORDER BY request_log.rowid ${order} LIMIT @rowsMax`,
    );
    return statement.all({ ...parametersOf(filter), ...parameters });
  };
  return {
    newestId: () => newest.get() ?? 0,
    latest: (filter, rowsMax) =>
      read(filter, "DESC", { afterId: 0, upToId: Number.MAX_SAFE_INTEGER, rowsMax }).toReversed(),
    within: (span, filter, rowsMax) => read(filter, "ASC", { ...span, rowsMax }),
    hasKey: (fingerprint) => hasKey.get(fingerprint) !== undefined,
  };
}

function parametersOf({ status, ...plain }: RequestFilter): Parameters {
  if (status === undefined) return plain;
  return { ...plain, statusFirst: status[0], statusLast: status[1] };
}
