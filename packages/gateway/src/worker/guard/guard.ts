/**
 * Who may come in, and for what: an anonymous caller within the limits of its address and of the breaker, a named
 * client within its own, a caller with an auth key of the configuration always. Worker threads. It decides from what
 * the primary told and from tables that all threads share, so that no request waits for a message.
 */
import { allowsModel } from "@gemini-gateway/core/limits/model-patterns";
import type { Address } from "@gemini-gateway/core/network/address";
import type { GatewayConfig } from "../../config.ts";
import { AddressTable } from "../../limits/address-table.ts";
import { ClientTable } from "../../limits/client-table.ts";
import type { BreakerNotice, GuardStart, GuardToPrimary, GuardToWorker } from "../../limits/messages.ts";
import { monotonicNowMs } from "../../limits/monotonic-clock.ts";
import { Authenticator, type Caller } from "../auth.ts";
import type { ClientRequest } from "../client/client-call.ts";
import { AddressGuard } from "./address-guard.ts";
import type { Refusal } from "./refusal.ts";

/** What a client with as many requests in progress as it may is told, milliseconds: one may end at any time. */
const CONCURRENCY_RETRY_MS = 1_000;

export interface GuardOptions {
  readonly config: GatewayConfig;
  readonly start: GuardStart;
  /** This worker's. */
  readonly part: number;
  readonly post: (message: GuardToPrimary) => void;
  /** Draws a number in [0, 1). */
  readonly random: () => number;
}

export class Guard {
  readonly #authenticator: Authenticator;
  readonly #addresses: AddressGuard;
  readonly #clients: ClientTable;
  readonly #breaker = new Map<string, BreakerNotice>();
  readonly #random: () => number;

  constructor({ config, start, part, post, random }: GuardOptions) {
    this.#authenticator = new Authenticator(config.authKey);
    this.#addresses = new AddressGuard(config, new AddressTable(start.addresses, part), (network) =>
      post({ type: "ban.add", network }),
    );
    this.#clients = new ClientTable(start.clientUse, part);
    this.#random = random;
    this.hear({ type: "bans.changed", added: start.bans, removed: [] });
    this.hear({ type: "clients.changed", clients: start.clients });
    this.hear({ type: "breaker.changed", lanes: start.breaker });
  }

  hear(message: GuardToWorker): void {
    switch (message.type) {
      case "bans.changed":
        this.#addresses.changeBans(message.added, message.removed);
        return;
      case "clients.changed":
        this.#authenticator.setClients(message.clients);
        return;
      case "breaker.changed":
        for (const notice of message.lanes) {
          if (notice.refusal > 0) this.#breaker.set(notice.lane, notice);
          else this.#breaker.delete(notice.lane);
        }
    }
  }

  /** Takes over another configuration; counts, bans and named clients stay. */
  configure(config: GatewayConfig): void {
    this.#authenticator.setAuthKeys(config.authKey);
    this.#addresses.configure(config);
  }

  identify(rawHeaders: readonly string[], url: string): Caller {
    return this.#authenticator.identify(rawHeaders, url);
  }

  addressOf(request: Pick<ClientRequest, "peer" | "rawHeaders">): Address | undefined {
    return this.#addresses.addressOf(request);
  }

  /** Whether the request came by a reverse proxy of the operator's. */
  isProxied({ peer }: Pick<ClientRequest, "peer">): boolean {
    return this.#addresses.trusts(peer.address);
  }

  /** Why not even a request that its URL authorises is let in. Counts nothing. @param nowMs milliseconds since the epoch */
  refuseBanned(address: Address | undefined, nowMs: number): Refusal | undefined {
    return address === undefined ? undefined : this.#addresses.banOf(address, nowMs);
  }

  /** Why the caller may ask nothing now. Counts the request. @param nowMs milliseconds since the epoch */
  refuseCaller(
    { authenticated, client }: Caller,
    address: Address | undefined,
    nowMs: number,
  ): Refusal | undefined {
    const expiresAtMs = client?.expiresAtMs ?? Number.POSITIVE_INFINITY;
    if (expiresAtMs <= nowMs) return { code: "client-expired" };
    return authenticated || address === undefined ? undefined : this.#addresses.refusalFor(address, nowMs);
  }

  /**
   * Why the caller may not ask this of this model now.
   * @param model undefined for a request that has none
   * @param lane as the scheduler counts the request; one it knows nothing of is not refused
   */
  refuseModel(
    { authenticated, client }: Caller,
    model: string | undefined,
    lane: string,
  ): Refusal | undefined {
    if (client !== undefined && model !== undefined && !allowsModel(client.models, model)) {
      return { code: "client-model-denied" };
    }
    const notice = authenticated ? undefined : this.#breaker.get(lane);
    if (notice === undefined || this.#random() >= notice.refusal) return undefined;
    return { code: "breaker-open", retryAfterMs: notice.retryAfterMs };
  }

  /** Takes a place among a named client's requests, or says why there is none. Each one in must {@link leave}. */
  enter({ client }: Caller): Refusal | undefined {
    if (client === undefined) return undefined;
    const refusal = this.#clients.enter(client.entry, client.limits, monotonicNowMs());
    if (refusal === undefined) return undefined;
    return { code: `client-${refusal.limit}`, retryAfterMs: refusal.retryAfterMs ?? CONCURRENCY_RETRY_MS };
  }

  /** A request that was let in has ended. */
  leave({ client }: Caller, tokens: number): void {
    if (client !== undefined) this.#clients.leave(client.entry, tokens, monotonicNowMs());
  }
}
