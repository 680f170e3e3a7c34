/** Requests over the worker's way out alone, without a gateway in front of it: for tests of connections. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from "node:tls";
import { selfSignedCertificate } from "gemini-emulator/self-signed";
import type { OutgoingRequest, UpstreamCall } from "../../src/worker/upstream-call.ts";
import { Upstream, type UpstreamOptions } from "../../src/worker/upstream.ts";

/** An upstream with times short enough for a test, unless it says otherwise. */
export function openUpstream(
  url: string,
  options: Partial<Omit<UpstreamOptions, "upstream">> = {},
): Upstream {
  return new Upstream({
    upstream: new URL(url),
    proxy: undefined,
    connectMs: 5_000,
    http2: false,
    ...options,
  });
}

/** A certificate for this process to trust, as the system's own are trusted: the product has no switch for that. */
export function trustedCertificate(): { readonly key: string; readonly cert: string } {
  const tls = selfSignedCertificate(Date.now());
  setDefaultCACertificates([...getCACertificates("default"), tls.cert]);
  return tls;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Code of the error it ended with; "" when it ended well. */
  readonly failure: string;
}

export interface Sent {
  /** Resolves when the answer is complete or has failed; never rejects. */
  readonly answer: Promise<Answer>;
  /** Resolves with the body so far when a first part of it is here. */
  readonly begun: Promise<string>;
  abort(): void;
  pause(): void;
  resume(): void;
}

export interface ToSend extends Partial<Omit<OutgoingRequest, "body" | "bodyBytes">> {
  readonly body?: string | readonly Buffer[];
}

/** Sends one request; a POST with a small body unless it says otherwise. */
export function send(upstream: Upstream, { body = "{}", ...options }: ToSend = {}): Sent {
  const answer = Promise.withResolvers<Answer>();
  const begun = Promise.withResolvers<string>();
  const chunks = typeof body === "string" ? [Buffer.from(body)] : body;
  let status = 0;
  let received = "";
  const end = (failure: string): void => answer.resolve({ status, body: received, failure });
  const call: UpstreamCall = upstream.send(
    {
      path: "/",
      method: "POST",
      rawHeaders: ["content-type", "application/json"],
      credential: "test-key-1",
      body: chunks,
      bodyBytes: chunks.reduce((sum, { length }) => sum + length, 0),
      firstByteMs: 10_000,
      idleMs: 10_000,
      ...options,
    },
    {
      onHead: (head) => {
        ({ status } = head);
      },
      onData: (chunk) => {
        received += chunk.toString();
        begun.resolve(received);
      },
      onEnd: () => end(""),
      onError: (error) => end((error as NodeJS.ErrnoException).code ?? error.name),
    },
  );
  return {
    answer: answer.promise,
    begun: begun.promise,
    abort: () => {
      call.abort();
      end("aborted");
    },
    pause: () => call.pause(),
    resume: () => call.resume(),
  };
}

export interface ConnectionLog extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly server: Server | SecureServer;
  /** Connections accepted so far. */
  readonly accepted: number;
  readonly sockets: ReadonlySet<Socket>;
  /** For each accepted TLS connection, whether it resumed an earlier session. */
  readonly resumed: readonly boolean[];
}

/** A server that answers "ok" and counts its connections; holds a request to /hold after its first part. */
export async function startServer(tls?: {
  readonly key: string;
  readonly cert: string;
}): Promise<ConnectionLog> {
  const sockets = new Set<Socket>();
  const resumed: boolean[] = [];
  let accepted = 0;
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    if (tls !== undefined) resumed.push((socket as TLSSocket).isSessionReused());
  });
  server.on("request", (request, response) => {
    request.resume().on("end", () => {
      if (request.url === "/hold") response.write("begun");
      else response.end("ok");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    server,
    get accepted() {
      return accepted;
    },
    sockets,
    resumed,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
