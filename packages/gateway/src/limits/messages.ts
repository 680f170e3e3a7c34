/**
 * What the primary tells the workers about who may come in, as plain data: a part of `protocol.ts`.
 * Holds no secret: of a client's only the digest.
 */
import type { ClientLimits } from "@gemini-gateway/core/limits/client-quota";
import type { Network } from "@gemini-gateway/core/network/network";
import type { ClientEntry } from "./client-table.ts";

/** A ban as workers need it. */
export interface BanNotice {
  readonly network: Network;
  /** When it ends, milliseconds since the epoch; null for never. */
  readonly untilMs: number | null;
}

/** A named client as workers need it. */
export interface ClientNotice {
  readonly name: string;
  /** SHA-256 of its secret, hexadecimal. */
  readonly digest: string;
  readonly entry: ClientEntry;
  readonly limits: ClientLimits;
  /** Patterns of the models it may use; none allows all. */
  readonly models: readonly string[];
  /** Milliseconds since the epoch; null for never. */
  readonly expiresAtMs: number | null;
}

/** How the breaker stands for one lane of the scheduler (a model, or a model and kind of call). */
export interface BreakerNotice {
  readonly lane: string;
  /** Probability with which an anonymous request is refused; 0 when the breaker is closed. */
  readonly refusal: number;
  /** What a refused caller is told to wait, milliseconds. */
  readonly retryAfterMs: number;
}

/** All of it, for a worker that starts. */
export interface GuardStart {
  /** See address-table.ts and client-table.ts. */
  readonly addresses: SharedArrayBuffer;
  readonly clientUse: SharedArrayBuffer;
  readonly bans: readonly BanNotice[];
  readonly clients: readonly ClientNotice[];
  readonly breaker: readonly BreakerNotice[];
}

/** Changes, for workers that run. */
export type GuardToWorker =
  | {
      readonly type: "bans.changed";
      readonly added: readonly BanNotice[];
      readonly removed: readonly Network[];
    }
  /** All clients there are. */
  | { readonly type: "clients.changed"; readonly clients: readonly ClientNotice[] }
  /** The lanes whose probability changed. */
  | { readonly type: "breaker.changed"; readonly lanes: readonly BreakerNotice[] };

/** An address asked more than it may in an hour. */
export interface GuardToPrimary {
  readonly type: "ban.add";
  readonly network: Network;
}
