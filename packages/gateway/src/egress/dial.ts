/**
 * What a way to the upstream is: something that opens a bare connection. Worker threads and probers.
 * TLS, the deadline and the HTTP client are the connector's business, the same for all ways; see connector.ts.
 */
import type { OnReadOpts, Socket } from "node:net";

export interface Target {
  /** Name or address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Opens a TCP connection that ends at the target, with nothing read from it yet.
 * Rejects with an EgressError; when `signal` aborts, with its reason, and leaves no socket behind.
 * May heed where the socket is to read to, or not: then it tells of data as sockets do.
 */
export type Dial = (target: Target, signal: AbortSignal, onread?: OnReadOpts) => Promise<Socket>;

/** How long a connection is silent before the kernel asks whether the other end still lives, milliseconds. */
export const TCP_KEEP_ALIVE_MS = 60_000;
