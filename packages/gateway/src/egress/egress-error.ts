/**
 * Why no connection to the upstream could be opened. Worker threads and probers.
 * Carries a code and nothing else: the messages of sockets and proxies name addresses, and the proxy's URL holds a
 * password, so what caused it is dropped on purpose.
 */

/** What we find out ourselves; every other code is the system's or TLS's own, such as ENOTFOUND. */
export type EgressCode =
  /** `timeouts.connect` passed: name, TCP, proxy and TLS together. */
  | "CONNECT_TIMEOUT"
  /** The connection closed while it was being opened. */
  | "CONNECT_BROKEN"
  /** The pool of connections is full. */
  | "CONNECTIONS_EXHAUSTED"
  /** No connection to the proxy: its name, its port, its certificate. */
  | "PROXY_UNREACHABLE"
  /** The proxy wants other credentials, or some. */
  | "PROXY_AUTH_REFUSED"
  /** The proxy works but did not connect us: its rules, or it could not reach the upstream. */
  | "PROXY_REFUSED"
  /** The proxy closed the connection, or spoke something else than its protocol. */
  | "PROXY_BROKEN";

export class EgressError extends Error {
  override readonly name = "EgressError";
  readonly code: string;

  constructor(code: EgressCode | (string & {})) {
    super(code);
    this.code = code;
  }
}

/** The failure without what it may have said about addresses and credentials. */
export function egressErrorOf(error: unknown): EgressError {
  if (error instanceof EgressError) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return new EgressError(typeof code === "string" ? code : "CONNECT_BROKEN");
}
