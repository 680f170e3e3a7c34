/** Puts rows of the request log into lines: for people, in columns that also hold while following, or as JSON. Pure. */
import type { LoggedRequest } from "../primary/store/request-log-reader.ts";
import { shortTime } from "./short-time.ts";
import { cell } from "./table.ts";

/** Title and width of each column; the last one is as wide as it likes. */
const COLUMNS = [
  ["TIME (UTC)", 19],
  ["STATUS", 6],
  ["OUTCOME", 18],
  ["MODEL", 24],
  ["KEY", 14],
  ["TRIES", 5],
  ["FIRST", 7],
  ["TOTAL", 7],
  ["TOKENS", 13],
  ["CLIENT", 0],
] as const;

/** Titles over the lines. */
export function requestHead(): string {
  return layOut(COLUMNS.map(([title]) => title));
}

/** One request. `FIRST` and `TOTAL` are the times to the first byte and to the end. */
export function requestLine(row: LoggedRequest): string {
  const { firstByteMs, promptTokens, outputTokens } = row;
  const hasTokens = (promptTokens ?? 0) + (outputTokens ?? 0) > 0;
  return layOut([
    endOf(row).slice(0, 19).replace("T", " "),
    String(row.status),
    row.outcome,
    row.model ?? "-",
    row.fingerprint ?? "-",
    String(row.attempts),
    shortTime(firstByteMs),
    shortTime(row.durationMs),
    hasTokens ? `${promptTokens ?? 0}+${outputTokens ?? 0}` : "-",
    row.client ?? "-",
  ]);
}

/** One request as a line of JSON, with the names of the log's own line. */
export function requestJson(row: LoggedRequest): string {
  const { id: _id, atMs: _atMs, fingerprint, ...same } = row;
  return JSON.stringify({ time: endOf(row), ...same, key: fingerprint });
}

/** When it ended, as the log's own line has it: the rows are in this order. */
function endOf({ atMs, durationMs }: LoggedRequest): string {
  return new Date(atMs + durationMs).toISOString();
}

function layOut(cells: readonly string[]): string {
  return cells
    .map((text, column) => cell(text).padEnd(COLUMNS[column]?.[1] ?? 0))
    .join("  ")
    .trimEnd();
}
