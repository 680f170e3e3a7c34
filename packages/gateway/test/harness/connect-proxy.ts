/**
 * A small HTTP proxy that tunnels (CONNECT) and shows what it was asked. Whatever target it is given, it connects to
 * the same port on 127.0.0.1.
 */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect, type AddressInfo, type Socket } from "node:net";

export interface ConnectProxyOptions {
  /** `user:password` it wants; none by default. */
  readonly credentials?: string;
  /** Status it answers instead of tunnelling. */
  readonly refuseWith?: number;
  /** Accepts, reads, and never answers. */
  readonly silent?: boolean;
  /** Speaks TLS itself: an https proxy. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface ConnectProxy extends AsyncDisposable {
  readonly url: URL;
  readonly requests: readonly { readonly authority: string; readonly headers: IncomingHttpHeaders }[];
  /** Connections of clients that are open now. */
  readonly open: number;
}

export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const requests: { authority: string; headers: IncomingHttpHeaders }[] = [];
  const clients = new Set<Socket>();
  const server = options.tls === undefined ? createServer() : createSecureServer(options.tls);
  server.on(options.tls === undefined ? "connection" : "secureConnection", (client: Socket) => {
    clients.add(client);
    client.on("close", () => clients.delete(client)).on("error", () => {});
  });
  // Without TLS a proxy would also take absolute-form requests; the gateway never sends one.
  server.on("request", (_request, response) => response.writeHead(501).end());
  server.on("connect", ({ url: authority = "", headers }, client: Socket) => {
    requests.push({ authority, headers });
    if (options.silent === true) {
      // Reads on, so that the client's leaving is seen; an HTTP server leaves its own half open.
      client.resume().on("end", () => client.destroy());
      return;
    }
    const status = statusFor(options, headers);
    if (status === 200) tunnel(client, authority);
    else client.end(`HTTP/1.1 ${status} No\r\ncontent-length: 2\r\n\r\nno`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`${options.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`),
    requests,
    get open() {
      return clients.size;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function statusFor({ credentials, refuseWith }: ConnectProxyOptions, headers: IncomingHttpHeaders): number {
  if (refuseWith !== undefined) return refuseWith;
  if (credentials === undefined) return 200;
  const wanted = `Basic ${Buffer.from(credentials).toString("base64")}`;
  return headers["proxy-authorization"] === wanted ? 200 : 407;
}

function tunnel(client: Socket, authority: string): void {
  const target = connect(Number(authority.slice(authority.lastIndexOf(":") + 1)), "127.0.0.1", () => {
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    target.pipe(client);
    client.pipe(target);
  });
  target.on("error", () => client.destroy()).on("close", () => client.destroy());
  client.on("close", () => target.destroy());
}
