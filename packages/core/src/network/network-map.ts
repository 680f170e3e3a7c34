/**
 * Values by network, found by an address within: one look-up for each length of prefix in use, however many networks
 * there are. Pure data structure.
 */
import type { Address } from "./address.ts";
import { type Network, networkOf } from "./network.ts";

export class NetworkMap<T> {
  /** By family and prefix, then by the network's bits. */
  readonly #byPrefix = new Map<string, Map<string, T>>();
  /** Prefixes in use, longest first: what is said of one address goes before what is said of its network. */
  readonly #prefixes: Record<4 | 6, number[]> = { 4: [], 6: [] };

  get size(): number {
    let size = 0;
    for (const values of this.#byPrefix.values()) size += values.size;
    return size;
  }

  set(network: Network, value: T): void {
    const name = shelfName(network.family, network.prefix);
    let values = this.#byPrefix.get(name);
    if (values === undefined) {
      values = new Map();
      this.#byPrefix.set(name, values);
      const prefixes = this.#prefixes[network.family];
      prefixes.push(network.prefix);
      prefixes.sort((left, right) => right - left);
    }
    values.set(bitsOf(network), value);
  }

  get(network: Network): T | undefined {
    return this.#byPrefix.get(shelfName(network.family, network.prefix))?.get(bitsOf(network));
  }

  delete(network: Network): boolean {
    const name = shelfName(network.family, network.prefix);
    const values = this.#byPrefix.get(name);
    const isDeleted = values?.delete(bitsOf(network)) ?? false;
    if (values?.size === 0) {
      this.#byPrefix.delete(name);
      const prefixes = this.#prefixes[network.family];
      prefixes.splice(prefixes.indexOf(network.prefix), 1);
    }
    return isDeleted;
  }

  /** The values of the networks that hold the address, the narrowest network first. */
  *around(address: Address): Generator<T, void, void> {
    for (const prefix of this.#prefixes[address.family]) {
      const values = this.#byPrefix.get(shelfName(address.family, prefix));
      const value = values?.get(bitsOf(networkOf(address, prefix)));
      if (value !== undefined) yield value;
    }
  }

  /** True when some network holds the address. */
  holds(address: Address): boolean {
    for (const _value of this.around(address)) return true;
    return false;
  }
}

/** The networks as a set. */
export function networkSet(networks: Iterable<Network>): NetworkMap<true> {
  const set = new NetworkMap<true>();
  for (const network of networks) set.set(network, true);
  return set;
}

function shelfName(family: 4 | 6, prefix: number): string {
  return `${family}/${prefix}`;
}

function bitsOf({ groups }: Network): string {
  return groups.join(",");
}
