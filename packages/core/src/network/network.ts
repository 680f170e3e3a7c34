/** Networks: all addresses that begin with the same bits. An address alone is a network of one. Pure. */
import { type Address, formatAddress, parseAddress } from "./address.ts";

export interface Network {
  readonly family: 4 | 6;
  /** As in {@link Address}, with every bit beyond the prefix 0. */
  readonly groups: readonly number[];
  /** How many bits are fixed: 0..32 or 0..128. */
  readonly prefix: number;
}

/** Words that stand for several networks. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ["127.0.0.0/8", "::1"],
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"],
};

const NETWORK = /^([^/]+)(?:\/(\d{1,3}))?$/;
/** Bits in front of an IPv4 address that is written as an IPv6 one. */
const MAPPED_BITS = 96;
/** Whoever holds an IPv6 address usually holds all others of its /64: it is that network that is counted. */
export const COUNTED_PREFIX = { 4: 32, 6: 64 } as const;

/** The network written as `address` or `address/bits`, bits beyond the prefix cleared; undefined for anything else. */
export function parseNetwork(text: string): Network | undefined {
  const [, host = "", bits] = NETWORK.exec(text) ?? [];
  const address = parseAddress(host);
  if (address === undefined) return undefined;
  const widest = address.family === 4 ? 32 : 128;
  if (bits === undefined) return networkOf(address, widest);
  const prefix = Number(bits) - (address.family === 4 && host.includes(":") ? MAPPED_BITS : 0);
  return prefix >= 0 && prefix <= widest ? networkOf(address, prefix) : undefined;
}

/** The networks that a word of the operator's means: `loopback`, `private`, or one written out. */
export function networksNamed(word: string): readonly Network[] | undefined {
  const named = Object.hasOwn(NAMED, word) ? NAMED[word] : undefined;
  const networks = (named ?? [word]).map(parseNetwork);
  return networks.every((network) => network !== undefined) ? networks : undefined;
}

/** The network of this many bits that the address is in. */
export function networkOf({ family, groups }: Address, prefix: number): Network {
  const masked = groups.map((group, index) => group & maskOf(prefix - index * 16));
  return { family, groups: masked, prefix };
}

/** The network that is counted and banned for what this address does. */
export function countedNetworkOf(address: Address): Network {
  return networkOf(address, COUNTED_PREFIX[address.family]);
}

/** `192.0.2.1`, `192.0.2.0/24`: a network of one is written as its address. {@link parseNetwork} reads it back. */
export function formatNetwork({ family, groups, prefix }: Network): string {
  const address = formatAddress({ family, groups });
  return prefix === (family === 4 ? 32 : 128) ? address : `${address}/${prefix}`;
}

/** Mask of the first `bits` bits of a group of 16. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 16 ? 0xff_ff : (0xff_ff << (16 - bits)) & 0xff_ff;
}
