/**
 * Who really asks, behind the reverse proxies the operator trusts. Pure; run by the HTTP worker threads per request.
 * A header is believed only as far as trusted hops wrote it: what stands left of the first untrusted hop is that hop's
 * own tale, and anybody can send it.
 */
import { type Address, parseHop } from "./address.ts";
import type { NetworkMap } from "./network-map.ts";

/** Which header the trusted proxies write. `auto`: the one that is there; both, when they agree. */
export type ProxyHeader = "auto" | "x-forwarded-for" | "forwarded";

export interface ForwardingHeaders {
  /** `X-Forwarded-For`, all lines joined by commas. */
  readonly forwardedFor: string | undefined;
  /** `Forwarded` (RFC 7239), all lines joined by commas. */
  readonly forwarded: string | undefined;
}

/** Hops that are walked back; a longer way ends at the last one walked. */
const HOPS_MAX = 32;
const FOR_PARAMETER = /(?:^|;)\s*for\s*=\s*"?([^";]*)"?\s*(?:;|$)/i;

/**
 * The address of the caller. With `auto` and two headers that tell of different callers, one of them was not written
 * by the proxy and nobody knows which: then neither is believed.
 * @param peer whoever opened the connection
 */
export function clientAddress(
  peer: Address,
  { forwardedFor, forwarded }: ForwardingHeaders,
  header: ProxyHeader,
  trusted: NetworkMap<true>,
): Address {
  if ((forwardedFor === undefined && forwarded === undefined) || !trusted.holds(peer)) return peer;
  const told: Address[] = [];
  if (header !== "forwarded" && forwardedFor !== undefined) {
    told.push(walkBack(peer, forwardedFor, (hop) => hop, trusted));
  }
  if (header !== "x-forwarded-for" && forwarded !== undefined) {
    told.push(walkBack(peer, forwarded, (hop) => FOR_PARAMETER.exec(hop)?.[1] ?? "", trusted));
  }
  const [first, second] = told;
  if (first === undefined) return peer;
  return second === undefined || isSame(first, second) ? first : peer;
}

/** Split at commas alone: an opening quote sent by the client must not swallow what a proxy added behind it. */
function walkBack(
  peer: Address,
  header: string,
  addressIn: (hop: string) => string,
  trusted: NetworkMap<true>,
): Address {
  let client = peer;
  let end = header.length;
  for (let hops = 0; hops < HOPS_MAX && end >= 0 && trusted.holds(client); hops += 1) {
    const comma = header.lastIndexOf(",", end - 1);
    const hop = parseHop(addressIn(header.slice(comma + 1, end)).trim());
    // "unknown", a name, nothing: the proxy that wrote it is all that is known.
    if (hop === undefined) return client;
    client = hop;
    end = comma;
  }
  return client;
}

function isSame(left: Address, right: Address): boolean {
  return left.family === right.family && left.groups.every((group, index) => group === right.groups[index]);
}
