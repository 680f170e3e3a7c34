/**
 * An upstream of which a test decides every byte and the moment of each, where the emulator would be too well-behaved:
 * for identity of bytes, back-pressure and callers who leave.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

/** One request as it arrived. */
export interface UpstreamCall {
  readonly method: string;
  readonly url: string;
  /** Flat `[name, value, ...]`. */
  readonly rawHeaders: readonly string[];
  /** Whole unless the call was answered before it was. */
  readonly body: Buffer;
  /** What the answer is written to: nothing is added to it. */
  readonly socket: Socket;
  /** The request as a stream, for calls that are answered before their body has come. */
  readonly request: IncomingMessage;
  /** Resolves when the gateway has closed the connection. */
  readonly closed: Promise<void>;
}

export interface RawUpstreamOptions {
  /** Answers at once when the head is there; the body is not read. */
  readonly beforeBody?: boolean;
}

export interface RawUpstream extends AsyncDisposable {
  readonly url: string;
  /** Every call so far. */
  readonly calls: readonly UpstreamCall[];
  /** Resolves with the call of this index, 0-based, when it has come. */
  call(index: number): Promise<UpstreamCall>;
}

/** Starts an upstream on loopback that answers every call by `answer`. */
export async function startRawUpstream(
  answer: (call: UpstreamCall) => void | Promise<void>,
  options: RawUpstreamOptions = {},
): Promise<RawUpstream> {
  const calls: UpstreamCall[] = [];
  const server = createServer((request) => {
    // What the test writes to the socket is the answer; node's own response is never used.
    void receive(request, options.beforeBody ?? false).then((call) => {
      calls.push(call);
      server.emit("call");
      return answer(call);
    });
  });
  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    call: async (index) => {
      while (calls[index] === undefined) await once(server, "call");
      return calls[index];
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function receive(request: IncomingMessage, beforeBody: boolean): Promise<UpstreamCall> {
  const { socket, method = "", url = "", rawHeaders } = request;
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  // Kept alive, it serves many calls, each with its own listeners.
  socket.setMaxListeners(0);
  socket.on("error", () => undefined);
  const chunks: Buffer[] = [];
  if (!beforeBody) {
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(request, "end");
  }
  return { method, url, rawHeaders, body: Buffer.concat(chunks), socket, request, closed };
}

/** The head of an answer; with the body's length unless `headers` say how long it is. */
export function headOf(status: number, headers: readonly string[], bodyLength?: number): string {
  const length = bodyLength === undefined ? [] : [`content-length: ${bodyLength}`];
  return `${[`HTTP/1.1 ${status} Status`, ...headers, ...length].join("\r\n")}\r\n\r\n`;
}

/** One chunk of a chunked answer. */
export function chunkOf(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

export const LAST_CHUNK = "0\r\n\r\n";

/** Writes pieces one by one, each in a turn of its own, so that they can arrive one by one. */
export async function writePieces(socket: Socket, pieces: readonly (string | Buffer)[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(piece);
    await turn();
  }
}
