/**
 * Connects through an HTTP proxy by a CONNECT tunnel, whether the upstream is https or http. Worker threads and probers.
 * Never sends the proxy a request of its own kind: its 407 or 502 would then look like an answer of the upstream.
 */
import { request as requestHttp, type IncomingMessage, type RequestOptions } from "node:http";
import { request as requestHttps } from "node:https";
import { isIPv6, type Socket } from "node:net";
import { TCP_KEEP_ALIVE_MS, type Dial, type Target } from "./dial.ts";
import { EgressError } from "./egress-error.ts";
import { proxyAddressOf } from "./proxy-address.ts";

/** Largest head of the proxy's answer, bytes. */
const ANSWER_HEAD_BYTES_MAX = 16_384;

/** @param proxy http or https URL, which says how the proxy itself is spoken to */
export function httpProxyDial(proxy: URL): Dial {
  const isSecure = proxy.protocol === "https:";
  const { host, port, user, password } = proxyAddressOf(proxy, isSecure ? 443 : 80);
  const send = isSecure ? requestHttps : requestHttp;
  const credentials = user + password === "" ? {} : { "proxy-authorization": basic(user, password) };
  const common: RequestOptions = {
    host,
    port,
    method: "CONNECT",
    agent: false,
    maxHeaderSize: ANSWER_HEAD_BYTES_MAX,
  };
  return (target, signal) =>
    new Promise((resolve, reject) => {
      const authority = authorityOf(target);
      const request = send({
        ...common,
        path: authority,
        headers: { ...credentials, host: authority },
        signal,
      });
      request.once("connect", (answer, socket, head) => {
        socket.on("error", () => {});
        const refusal = refusalOf(answer, head);
        if (refusal === undefined) {
          resolve(socket.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS));
          return;
        }
        socket.destroy();
        reject(new EgressError(refusal));
      });
      // Only a proxy that takes CONNECT for any other request answers like this.
      request.once("response", (answer) => {
        answer.destroy();
        reject(new EgressError("PROXY_BROKEN"));
      });
      request.on("error", (error) =>
        reject(signal.aborted ? (signal.reason as Error) : failureOf(error, request.socket)),
      );
      request.end();
    });
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function authorityOf({ host, port }: Target): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The upstream does not speak first: bytes behind the head mean that this is no tunnel. */
function refusalOf(
  { statusCode = 0 }: IncomingMessage,
  head: Buffer,
): "PROXY_AUTH_REFUSED" | "PROXY_REFUSED" | "PROXY_BROKEN" | undefined {
  if (statusCode === 407) return "PROXY_AUTH_REFUSED";
  if (statusCode < 200 || statusCode > 299) return "PROXY_REFUSED";
  return head.length > 0 ? "PROXY_BROKEN" : undefined;
}

function failureOf(error: NodeJS.ErrnoException, socket: Socket | null): EgressError {
  const wasReached = error.code === "ECONNRESET" || error.code?.startsWith("HPE_") === true;
  return new EgressError(wasReached && socket !== null ? "PROXY_BROKEN" : "PROXY_UNREACHABLE");
}
