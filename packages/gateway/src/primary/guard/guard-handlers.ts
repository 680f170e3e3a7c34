/**
 * What the command line may ask about bans and named clients, of the books of a running gateway or of those opened for
 * one command. Primary thread.
 */
import { formatNetwork, parseNetwork } from "@gemini-gateway/core/network/network";
import type { AddBansRequest, ClientListRow, GuardHandlers } from "../../control/guard-types.ts";
import { OperatorError } from "../../control/operator-error.ts";
import type { BanRow } from "../store/ban-table.ts";
import type { ClientRow } from "../store/client-rows.ts";
import type { BanBook } from "./ban-book.ts";
import type { ClientBook } from "./client-book.ts";

/** The books that the commands work on. */
export interface GuardBooks {
  readonly bans: Pick<BanBook, "list" | "add" | "remove">;
  readonly clients: Pick<ClientBook, "list" | "add" | "revoke">;
}

/** @param now milliseconds since the epoch */
export function guardHandlers({ bans, clients }: GuardBooks, now: () => number): GuardHandlers {
  return {
    listBans: () => bans.list(),
    addBans: (request) => {
      const rows = banRowsOf(request, now());
      bans.add(rows);
      return rows;
    },
    removeBans: ({ networks }) => {
      const wanted = networks.map(canonical);
      const removed = bans.remove(wanted);
      return { removed, unknown: wanted.filter((network) => !removed.includes(network)) };
    },
    listClients: () => clients.list().map(listRowOf),
    addClient: ({ expiresInMs, ...request }) => {
      const createdAtMs = now();
      const row = {
        ...request,
        createdAtMs,
        expiresAtMs: expiresInMs === null ? null : createdAtMs + expiresInMs,
      };
      clients.add(row);
      return listRowOf(row);
    },
    revokeClients: ({ names }) => {
      const revoked = clients.revoke(names);
      return { revoked, unknown: names.filter((name) => !revoked.includes(name)) };
    },
  };
}

function banRowsOf({ networks, durationMs, note }: AddBansRequest, nowMs: number): readonly BanRow[] {
  const untilMs = durationMs === null ? null : nowMs + durationMs;
  const distinct = [...new Set(networks.map(canonical))];
  return distinct.map((network) => ({ network, reason: "operator", note, sinceMs: nowMs, untilMs }));
}

/** A network as it stands in the book. @throws OperatorError for a text that is none */
function canonical(text: string): string {
  const network = parseNetwork(text);
  if (network === undefined) {
    throw new OperatorError(
      "bad-request",
      `${JSON.stringify(text.slice(0, 64))} is no address and no network.`,
    );
  }
  return formatNetwork(network);
}

function listRowOf({ digest: _digest, ...row }: ClientRow): ClientListRow {
  return row;
}
