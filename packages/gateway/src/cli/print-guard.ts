/** Puts bans and named clients, and what a change of them did, into words. Pure. It must never be given a secret. */
import type { ClientListRow, RemoveBansReport, RevokeClientsReport } from "../control/guard-types.ts";
import type { BanRow } from "../primary/store/ban-table.ts";
import { formatAgo, formatUntil } from "./span.ts";
import { cell, formatTable } from "./table.ts";

const REASONS: Readonly<Record<BanRow["reason"], string>> = {
  operator: "operator",
  "requests-per-hour": "too many requests in an hour",
};

/** The bans, with what it means when there is none. */
export function banTable(rows: readonly BanRow[], nowMs: number): string {
  if (rows.length === 0) return "Nobody is banned.";
  return formatTable(
    ["NETWORK", "SINCE", "ENDS", "REASON", "NOTE"],
    rows.map(({ network, sinceMs, untilMs, reason, note }) => [
      network,
      formatAgo(sinceMs, nowMs),
      endOf(untilMs, nowMs),
      REASONS[reason],
      note ?? "-",
    ]),
  );
}

/** What `bans add` did. */
export function banReportText(rows: readonly BanRow[], nowMs: number): string {
  return rows
    .map(({ network, untilMs }) => `${network} is banned (ends: ${endOf(untilMs, nowMs)}).`)
    .join("\n");
}

/** What `bans remove` did. */
export function removeBansText({ removed, unknown }: RemoveBansReport): string {
  return [
    ...removed.map((network) => `${network} is no longer banned.`),
    ...unknown.map((network) => `No ban names ${network}; \`bans list\` shows those there are.`),
  ].join("\n");
}

/** The clients, with what to do when there is none. */
export function clientTable(rows: readonly ClientListRow[], nowMs: number): string {
  if (rows.length === 0) return "There is no client. Add one with `gemini-gateway clients add NAME`.";
  return formatTable(
    ["NAME", "REQUESTS/MIN", "REQUESTS/DAY", "TOKENS/MIN", "TOKENS/DAY", "AT ONCE", "EXPIRES", "MODELS"],
    rows.map(({ name, limits, expiresAtMs, models }) => [
      name,
      limitText(limits.requestsPerMinute),
      limitText(limits.requestsPerDay),
      limitText(limits.tokensPerMinute),
      limitText(limits.tokensPerDay),
      limitText(limits.concurrency),
      expiresAtMs !== null && expiresAtMs <= nowMs ? "expired" : endOf(expiresAtMs, nowMs),
      models.length === 0 ? "all" : models.join(","),
    ]),
  );
}

/** What `clients revoke` did. */
export function revokeReportText({ revoked, unknown }: RevokeClientsReport): string {
  return [
    ...revoked.map((name) => `The auth key of ${cell(name)} is revoked.`),
    ...unknown.map((name) => `There is no client ${cell(name)}.`),
  ].join("\n");
}

function endOf(untilMs: number | null, nowMs: number): string {
  return untilMs === null ? "never" : formatUntil(untilMs, nowMs);
}

function limitText(value: number): string {
  return value === 0 ? "-" : String(value);
}
