/**
 * Addresses of the Internet Protocol as numbers: read strictly, written in one way only. Pure.
 * An IPv4 address that comes dressed as IPv6 (`::ffff:192.0.2.1`, as dual-stack sockets name it) is the IPv4 address.
 */

export interface Address {
  readonly family: 4 | 6;
  /** The bits from the left, 16 in each: 2 groups for IPv4, 8 for IPv6. */
  readonly groups: readonly number[];
}

/** Longest text looked at; the longest address with a zone stays far below. */
const TEXT_LENGTH_MAX = 100;

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
const ZONE = /%[^%]*$/;
/** `host:port` and `[host]:port`, as proxies write hops. */
const WITH_PORT = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/;

/** The address; undefined for anything else. A zone (`fe80::1%eth0`) names a cable of this machine and is dropped. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > TEXT_LENGTH_MAX) return undefined;
  const plain = text.includes(":") ? text.replace(ZONE, "") : text;
  const groups = plain.includes(":") ? ipv6Groups(plain) : ipv4Groups(plain);
  return groups === undefined ? undefined : addressOf(groups);
}

/** An address that may stand in brackets and have a port. */
export function parseHop(text: string): Address | undefined {
  const [, bracketed, plain] = (text.length <= TEXT_LENGTH_MAX && WITH_PORT.exec(text)) || [];
  return parseAddress(bracketed ?? plain ?? text);
}

/** The one way to write it: IPv6 in lower case with its longest run of zeros left out (RFC 5952). */
export function formatAddress({ family, groups }: Address): string {
  if (family === 4) return groups.map((group) => `${group >>> 8}.${group & 0xff}`).join(".");
  const words = groups.map((group) => group.toString(16));
  const zeros = longestZeros(groups);
  if (zeros.length < 2) return words.join(":");
  return `${words.slice(0, zeros.start).join(":")}::${words.slice(zeros.start + zeros.length).join(":")}`;
}

function addressOf(groups: readonly number[]): Address {
  const isMapped =
    groups.length === 8 && groups[5] === 0xff_ff && groups.slice(0, 5).every((group) => group === 0);
  if (isMapped) return { family: 4, groups: groups.slice(6) };
  return { family: groups.length === 2 ? 4 : 6, groups };
}

function ipv4Groups(text: string): number[] | undefined {
  const match = IPV4.exec(text);
  if (match === null) return undefined;
  const bytes = match.slice(1).map(Number);
  // A leading zero is octal to some readers and decimal to others: such an address names nobody for sure.
  const isExact = match.slice(1).every((part, index) => part === String(bytes[index]));
  if (!isExact || bytes.some((byte) => byte > 255)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  return [a * 256 + b, c * 256 + d];
}

function ipv6Groups(text: string): number[] | undefined {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const before = wordGroups(head, tail === undefined);
  const after = tail === undefined ? [] : wordGroups(tail, true);
  if (before === undefined || after === undefined) return undefined;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...before, ...Array.from({ length: missing }, () => 0), ...after];
}

/** Groups between colons; only the last word of an address may be an IPv4 address. */
function wordGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const words = text.split(":");
  const groups: number[] = [];
  for (const [index, word] of words.entries()) {
    const isDotted = isEnd && index === words.length - 1 && word.includes(".");
    const read = isDotted ? ipv4Groups(word) : GROUP.test(word) ? [Number.parseInt(word, 16)] : undefined;
    if (read === undefined) return undefined;
    groups.push(...read);
  }
  return groups;
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > longest.length) longest = { start: index - length + 1, length };
  }
  return longest;
}
