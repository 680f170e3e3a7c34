/**
 * Chooses the way to the upstream. Worker threads and probers: both go the same.
 * Only `--proxy` decides: HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the environment are not read, so that a variable meant
 * for other programs cannot send the operator's keys another way.
 */
import type { Dial } from "./dial.ts";
import { dialDirectly } from "./direct-dial.ts";
import { httpProxyDial } from "./http-proxy-dial.ts";
import { socksDial } from "./socks-dial.ts";

/**
 * @param proxy socks4, socks4a, socks5, socks5h, http or https URL, which may carry credentials; undefined for none
 * @param connectMs longest time to connect through it, milliseconds
 */
export function dialFor(proxy: URL | undefined, connectMs: number): Dial {
  if (proxy === undefined) return dialDirectly;
  return proxy.protocol.startsWith("socks") ? socksDial(proxy, connectMs) : httpProxyDial(proxy);
}
