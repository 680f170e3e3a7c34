/**
 * The table of named clients: callers with an auth key of their own and limits to it. Primary thread (and the command
 * line). It holds no secret: of a client's only the SHA-256, which is of no use to whoever steals the file.
 */
import type { ClientLimits } from "@gemini-gateway/core/limits/client-quota";
import type Database from "better-sqlite3";
import { jsonOrNull } from "./json-column.ts";

export interface ClientRow {
  readonly name: string;
  /** SHA-256 of the secret, hexadecimal. */
  readonly digest: string;
  readonly limits: ClientLimits;
  /** Patterns of the models it may use; none allows all. */
  readonly models: readonly string[];
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
  /** Milliseconds since the epoch; null for never. */
  readonly expiresAtMs: number | null;
}

/** Requests and tokens of one client in one hour. */
export interface ClientUseRow {
  readonly client: string;
  /** Start of the hour, milliseconds since the epoch. */
  readonly hourMs: number;
  readonly requests: number;
  readonly tokens: number;
}

export interface ClientRows {
  load(): readonly ClientRow[];
  /** Throws when there is a client of that name or secret. */
  insert(row: ClientRow): void;
  /** Deletes those of these names; returns the names of those there were. */
  remove(names: readonly string[]): readonly string[];
  /**
   * What they used since then by the request log, the oldest hour first; without requests that were turned away. Reads
   * that part of the log: for the start, never while serving.
   */
  usedSince(sinceMs: number): readonly ClientUseRow[];
}

const HOUR_MS = 3_600_000;

interface RawClient {
  name: string;
  digest: string;
  requests_per_minute: number;
  requests_per_day: number;
  tokens_per_minute: number;
  tokens_per_day: number;
  concurrency: number;
  models: string;
  created_at_ms: number;
  expires_at_ms: number | null;
}

export function clientRows(database: Database.Database): ClientRows {
  const all = database.prepare<[], RawClient>("SELECT * FROM clients ORDER BY name");
  const insert = database.prepare<(string | number | null)[]>(
    `INSERT INTO clients (name, digest, requests_per_minute, requests_per_day, tokens_per_minute, tokens_per_day,
       concurrency, models, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const remove = database.prepare<[string]>("DELETE FROM clients WHERE name = ?");
  const use = database.prepare<[number, number, number], ClientUseRow>(
    `SELECT client, at_ms / ? * ? AS hourMs, count(*) AS requests, coalesce(sum(total_tokens), 0) AS tokens
     FROM request_log WHERE at_ms >= ? AND client IN (SELECT name FROM clients) AND outcome <> 'refused'
     GROUP BY client, hourMs ORDER BY hourMs`,
  );
  return {
    usedSince: (sinceMs) => use.all(HOUR_MS, HOUR_MS, Math.round(sinceMs)),
    load: () => all.all().map(clientRow),
    insert: (row) => void insert.run(...columnsOf(row)),
    remove: database.transaction((names: readonly string[]) =>
      names.filter((name) => remove.run(name).changes > 0),
    ),
  };
}

function columnsOf({
  name,
  digest,
  limits,
  models,
  createdAtMs,
  expiresAtMs,
}: ClientRow): (string | number | null)[] {
  return [
    name,
    digest,
    limits.requestsPerMinute,
    limits.requestsPerDay,
    limits.tokensPerMinute,
    limits.tokensPerDay,
    limits.concurrency,
    JSON.stringify(models),
    Math.round(createdAtMs),
    expiresAtMs === null ? null : Math.round(expiresAtMs),
  ];
}

function clientRow(raw: RawClient): ClientRow {
  const models = jsonOrNull(raw.models);
  return {
    name: raw.name,
    digest: raw.digest,
    limits: {
      requestsPerMinute: raw.requests_per_minute,
      requestsPerDay: raw.requests_per_day,
      tokensPerMinute: raw.tokens_per_minute,
      tokensPerDay: raw.tokens_per_day,
      concurrency: raw.concurrency,
    },
    // Unreadable patterns allow nothing rather than everything: no model has an empty name.
    models: Array.isArray(models) && models.every((model) => typeof model === "string") ? models : [""],
    createdAtMs: raw.created_at_ms,
    expiresAtMs: raw.expires_at_ms,
  };
}
