/** Reads a proxy's URL as operators write it. Pure. */

export interface ProxyAddress {
  /** Name or address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Empty when the URL names none. */
  readonly user: string;
  readonly password: string;
}

/** @param portDefault where such proxies listen when the URL names no port */
export function proxyAddressOf(proxy: URL, portDefault: number): ProxyAddress {
  return {
    host: proxy.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: proxy.port === "" ? portDefault : Number(proxy.port),
    user: decoded(proxy.username),
    password: decoded(proxy.password),
  };
}

/** A password with a bare % is taken as it was typed: it is no percent-encoding. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
