/** Both ends of a Live session for tests: a client that waits for messages, and an upstream that does as it is told. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";

export const LIVE_MODEL = "models/gemini-live-2.5-flash-preview";
export const LIVE_PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
export const CONSTRAINED_PATH = LIVE_PATH.replace("v1beta", "v1alpha").replace(
  "Content",
  "ContentConstrained",
);

export interface Received {
  readonly text: string;
  readonly isBinary: boolean;
}

export interface Ended {
  readonly code: number;
  readonly reason: string;
}

/** Longest wait for a message, milliseconds. */
const WAIT_MS = 10_000;

export class LiveClient {
  readonly socket: WebSocket;
  readonly opened: Promise<void>;
  readonly ended: Promise<Ended>;
  /** Status and body of the answer that came in the handshake's place. */
  readonly refused: Promise<{ readonly status: number; readonly body: string; readonly retryAfter: string }>;
  readonly #received: Received[] = [];
  #wake: () => void = () => {};
  #end: Ended | undefined;

  constructor(url: string, path = LIVE_PATH, headers: Readonly<Record<string, string>> = {}) {
    this.socket = new WebSocket(`${url.replace("http", "ws")}${path}`, { headers, autoPong: true });
    const opened = Promise.withResolvers<void>();
    const refused = Promise.withResolvers<{ status: number; body: string; retryAfter: string }>();
    this.opened = opened.promise;
    this.refused = refused.promise;
    this.opened.catch(() => {});
    this.socket.on("open", () => opened.resolve());
    this.socket.on("error", (error) => opened.reject(error));
    this.socket.on("unexpected-response", (_request, answer) => {
      let body = "";
      answer.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      const { statusCode: status = 0, headers: answered } = answer;
      answer.on("end", () => refused.resolve({ status, body, retryAfter: answered["retry-after"] ?? "" }));
      opened.reject(new Error(`refused with ${status}`));
    });
    this.ended = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => {
        this.#end = { code, reason: reason.toString() };
        resolve(this.#end);
        this.#wake();
      });
    });
    this.socket.on("message", (data, isBinary) => {
      this.#received.push({ text: (data as Buffer).toString("utf8"), isBinary });
      this.#wake();
    });
  }

  async send(message: object): Promise<void> {
    await this.opened;
    this.socket.send(JSON.stringify(message));
  }

  /** The next message. */
  async receive(): Promise<Received> {
    const deadline = AbortSignal.timeout(WAIT_MS);
    for (;;) {
      const message = this.#received.shift();
      if (message !== undefined) return message;
      if (this.#end !== undefined) throw new Error(`closed with ${JSON.stringify(this.#end)}`);
      if (deadline.aborted) throw new Error("no message came");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        deadline.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** Gathers the texts of the model until they hold what matches; gives the first group. */
  async hearsMatch(pattern: RegExp): Promise<string> {
    for (let said = ""; ;) {
      const { serverContent } = await this.next("serverContent");
      const { modelTurn } = serverContent as { modelTurn?: { parts: { text?: string }[] } };
      said += (modelTurn?.parts ?? []).map(({ text = "" }) => text).join("");
      const [, found] = pattern.exec(said) ?? [];
      if (found !== undefined) return found;
    }
  }

  /** Waits for a message that holds the text. */
  async hears(text: string): Promise<void> {
    while (!(await this.receive()).text.includes(text));
  }

  /** The next message that has this field. */
  async next(field: string): Promise<Record<string, unknown>> {
    for (;;) {
      const message = JSON.parse((await this.receive()).text) as Record<string, unknown>;
      if (field in message) return message;
    }
  }

  /** Sends the setup and waits until the session is set up. */
  async setUp(more: object = {}): Promise<void> {
    await this.send({
      setup: { model: LIVE_MODEL, generationConfig: { responseModalities: ["TEXT"] }, ...more },
    });
    await this.next("setupComplete");
  }

  /** Says something and gives the first that comes back. */
  async say(text: string): Promise<string> {
    await this.send({ clientContent: { turns: [{ role: "user", parts: [{ text }] }], turnComplete: true } });
    return JSON.stringify(await this.next("serverContent"));
  }
}

export interface LiveUpstream extends AsyncDisposable {
  readonly url: string;
  /** Requests of all handshakes so far. */
  readonly handshakes: readonly IncomingMessage[];
  /** Sessions that are open. */
  readonly open: number;
}

/** An upstream whose sessions do as `serve` says, from the handshake on. */
export async function startLiveUpstream(serve: (socket: WebSocket) => void): Promise<LiveUpstream> {
  const handshakes: IncomingMessage[] = [];
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  server.on("connection", (socket, request) => {
    handshakes.push(request);
    socket.on("error", () => {});
    serve(socket);
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    handshakes,
    get open() {
      return server.clients.size;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of server.clients) client.terminate();
      server.close();
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}

/** Answers the setup, and gives everything that follows to `more`. */
export function afterSetup(
  more: (socket: WebSocket, data: Buffer, isBinary: boolean) => void,
): (socket: WebSocket) => void {
  return (socket) => {
    socket.once("message", () => {
      socket.send(Buffer.from('{"setupComplete":{}}'));
      socket.on("message", (data, isBinary) => more(socket, data as Buffer, isBinary));
    });
  };
}
