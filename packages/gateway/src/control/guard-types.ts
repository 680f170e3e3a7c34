/**
 * What the command line and a running gateway say to each other about bans and named clients: plain data, as JSON.
 * Both sides. Must never hold a client's secret: the command line makes it, shows it once and sends its digest.
 */
import type { ClientLimits } from "@gemini-gateway/core/limits/client-quota";
import type { BanRow } from "../primary/store/ban-table.ts";
import type { ClientRow } from "../primary/store/client-rows.ts";

export interface AddBansRequest {
  /** Addresses and networks. */
  readonly networks: readonly string[];
  /** Milliseconds; null for ever. */
  readonly durationMs: number | null;
  readonly note: string | null;
}

export interface RemoveBansRequest {
  readonly networks: readonly string[];
}

export interface RemoveBansReport {
  readonly removed: readonly string[];
  /** Those that no ban names. */
  readonly unknown: readonly string[];
}

export interface AddClientRequest {
  readonly name: string;
  /** SHA-256 of the secret, hexadecimal. */
  readonly digest: string;
  readonly limits: ClientLimits;
  /** Patterns of the models it may use; none allows all. */
  readonly models: readonly string[];
  /** Milliseconds from now; null for ever. */
  readonly expiresInMs: number | null;
}

export interface RevokeClientsRequest {
  readonly names: readonly string[];
}

export interface RevokeClientsReport {
  readonly revoked: readonly string[];
  /** Those that no client has. */
  readonly unknown: readonly string[];
}

/** A client, for people: without its digest, which is nobody's business. */
export type ClientListRow = Omit<ClientRow, "digest">;

/** What the primary supplies. Each may throw an OperatorError, whose message is passed on. */
export interface GuardHandlers {
  listBans(): readonly BanRow[];
  /** The bans as they are now in force. */
  addBans(request: AddBansRequest): readonly BanRow[];
  removeBans(request: RemoveBansRequest): RemoveBansReport;
  listClients(): readonly ClientListRow[];
  addClient(request: AddClientRequest): ClientListRow;
  revokeClients(request: RevokeClientsRequest): RevokeClientsReport;
}
