/**
 * What an address may do that comes without an auth key: banned ones nothing, all others so many requests a minute.
 * Worker threads. The counts are shared by all of them; the bans are the primary's, told to every worker.
 */
import type { AddressLimits } from "@gemini-gateway/core/limits/address-quota";
import type { Address } from "@gemini-gateway/core/network/address";
import { clientAddress, type ProxyHeader } from "@gemini-gateway/core/network/client-address";
import { countedNetworkOf, type Network, networksNamed } from "@gemini-gateway/core/network/network";
import { NetworkMap, networkSet } from "@gemini-gateway/core/network/network-map";
import type { GatewayConfig } from "../../config.ts";
import { headerOf } from "../../http1/header-list.ts";
import type { AddressTable } from "../../limits/address-table.ts";
import type { BanNotice } from "../../limits/messages.ts";
import { monotonicNowMs } from "../../limits/monotonic-clock.ts";
import type { ClientRequest } from "../client/client-call.ts";
import type { Refusal } from "./refusal.ts";

export class AddressGuard {
  readonly #table: AddressTable;
  #limits: AddressLimits = { perMinute: 0, perHour: 0 };
  /** How long a ban lasts, milliseconds; undefined for ever. */
  #banMs: number | undefined;
  #trusted = new NetworkMap<true>();
  #proxyHeader: ProxyHeader = "auto";
  #allowed = new NetworkMap<true>();
  readonly #bans = new NetworkMap<BanNotice>();
  readonly #report: (network: Network) => void;

  /** @param report tells the primary of an address to be banned */
  constructor(config: GatewayConfig, table: AddressTable, report: (network: Network) => void) {
    this.#table = table;
    this.#report = report;
    this.configure(config);
  }

  /** Takes over another configuration; counts and bans stay. */
  configure(config: GatewayConfig): void {
    this.#limits = { perMinute: config.ip.perMinute, perHour: config.ip.perHour };
    this.#banMs = Number.isFinite(config.ip.banMs) ? config.ip.banMs : undefined;
    this.#trusted = namedNetworks(config.trustProxy);
    this.#proxyHeader = config.trustProxyHeader;
    this.#allowed = namedNetworks(config.ip.allow);
  }

  changeBans(added: readonly BanNotice[], removed: readonly Network[]): void {
    for (const network of removed) this.#bans.delete(network);
    for (const ban of added) this.#bans.set(ban.network, ban);
  }

  /** The address a request comes from; undefined when its connection is gone already. */
  addressOf({
    peer: { address: peer },
    rawHeaders,
  }: Pick<ClientRequest, "peer" | "rawHeaders">): Address | undefined {
    if (peer === undefined || this.#trusted.size === 0) return peer;
    return clientAddress(
      peer,
      {
        forwardedFor: headerOf(rawHeaders, "x-forwarded-for"),
        forwarded: headerOf(rawHeaders, "forwarded"),
      },
      this.#proxyHeader,
      this.#trusted,
    );
  }

  /** Whether what this peer writes of its callers is believed. */
  trusts(peer: Address | undefined): boolean {
    return peer !== undefined && this.#trusted.holds(peer);
  }

  /** Why an address may not even bring what needs no leave; counts nothing. @param nowMs milliseconds since the epoch */
  banOf(address: Address, nowMs: number): Refusal | undefined {
    return this.#allowed.holds(address) ? undefined : this.#banOf(address, nowMs);
  }

  /** Counts one request of the address; says why it is refused, if it is. @param nowMs milliseconds since the epoch */
  refusalFor(address: Address, nowMs: number): Refusal | undefined {
    if (this.#allowed.holds(address)) return undefined;
    const ban = this.#banOf(address, nowMs);
    if (ban !== undefined) return ban;
    const { perMinute, perHour } = this.#limits;
    if (perMinute === 0 && perHour === 0) return undefined;
    const network = countedNetworkOf(address);
    const verdict = this.#table.count(network, this.#limits, monotonicNowMs());
    switch (verdict.kind) {
      case "pass":
        return undefined;
      case "slow-down":
        return { code: "address-limited", retryAfterMs: verdict.retryAfterMs };
      case "ban":
        if (verdict.isNews) this.#report(network);
        // As the ban will say that the primary is about to make of it.
        return { code: "address-banned", retryAfterMs: this.#banMs };
    }
  }

  /** Several bans may hold an address; the one that lasts longest is told. */
  #banOf(address: Address, nowMs: number): Refusal | undefined {
    let untilMs = 0;
    for (const ban of this.#bans.around(address)) {
      if (ban.untilMs === null) return { code: "address-banned" };
      untilMs = Math.max(untilMs, ban.untilMs);
    }
    return untilMs > nowMs ? { code: "address-banned", retryAfterMs: untilMs - nowMs } : undefined;
  }
}

function namedNetworks(words: readonly string[]): NetworkMap<true> {
  return networkSet(words.flatMap((word) => networksNamed(word) ?? []));
}
