/**
 * Lets undici connect through a SOCKS proxy. socks-proxy-agent is made for node:http; undici takes a `connect` function,
 * and the agent's own `connect()` gives the socket it needs. Worker threads and probers.
 */
import { EventEmitter } from "node:events";
import type { ClientRequest } from "node:http";
import { connect as connectTls } from "node:tls";
import { SocksProxyAgent } from "socks-proxy-agent";
import type { buildConnector } from "undici";

/** TLS sessions remembered for resumption, one a host. */
const SESSIONS_MAX = 16;

/** @param proxy socks4, socks4a, socks5 or socks5h URL; with the `h` or `a` the proxy resolves names */
export function socksConnector(
  proxy: URL,
  _direct: buildConnector.connector,
  timeoutMs: number,
): buildConnector.connector {
  const agent = new SocksProxyAgent(proxy, { timeout: timeoutMs });
  const sessions = new Map<string, Buffer>();
  return (options, callback) => {
    const secure = options.protocol === "https:";
    const port = Number(options.port) || (secure ? 443 : 80);
    // The agent asks the request only for its host header and events; there is no request at this point.
    const request = new EventEmitter() as unknown as ClientRequest;
    agent
      .connect(request, { host: options.hostname, port, secureEndpoint: false } as never)
      .then((socket) => {
        socket.setNoDelay(true);
        if (!secure) {
          callback(null, socket);
          return;
        }
        const servername = options.servername ?? options.hostname;
        const session = sessions.get(servername);
        const tls = connectTls({
          socket,
          servername,
          ALPNProtocols: ["http/1.1"],
          ...(session === undefined ? {} : { session }),
        });
        tls.on("session", (fresh) => remember(sessions, servername, fresh));
        tls.once("secureConnect", () => callback(null, tls));
        tls.once("error", (error) => callback(error, null));
      })
      .catch((error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null));
  };
}

function remember(sessions: Map<string, Buffer>, host: string, session: Buffer): void {
  sessions.delete(host);
  sessions.set(host, session);
  const [oldest] = sessions.keys();
  if (sessions.size > SESSIONS_MAX && oldest !== undefined) sessions.delete(oldest);
}
