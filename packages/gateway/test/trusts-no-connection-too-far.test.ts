import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { openUpstream, send, type Answer, type ToSend } from "./harness/way-out.ts";
import type { Upstream, UpstreamOptions } from "../src/worker/upstream.ts";

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const POLL = { timeout: 5_000, interval: 5 };
/** What a silent server is given in these tests, milliseconds. */
const SHORT_MS = 120;
/** More than a server needs to take in what waits in the kernel, less than for all of a large body, milliseconds. */
const LONG_MS = 1_000;
const LARGE = Array.from({ length: 128 }, (_, index) => Buffer.alloc(65_536, index));

/** A server of which a test writes every byte: called with each connection and what came over it, piece by piece. */
class Scene implements AsyncDisposable {
  readonly sockets: Socket[] = [];
  readonly upstream: Upstream;
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server, port: number, upstream: Upstream) {
    this.#server = server;
    this.port = port;
    this.upstream = upstream;
  }

  static async open(
    hear: (socket: Socket, text: string, connection: number) => void,
    options: Partial<UpstreamOptions> = {},
  ): Promise<Scene> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const scene = new Scene(server, port, openUpstream(`http://127.0.0.1:${port}`, options));
    server.on("connection", (socket) => {
      const connection = scene.sockets.push(socket);
      socket.on("error", () => {}).on("data", (bytes) => hear(socket, bytes.toString("latin1"), connection));
    });
    return scene;
  }

  ask(options: ToSend = {}) {
    return send(this.upstream, options).answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.upstream[Symbol.asyncDispose]();
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

let opened: Scene | undefined;
async function open(...given: Parameters<typeof Scene.open>): Promise<Scene> {
  opened = await Scene.open(...given);
  return opened;
}
afterEach(() => opened?.[Symbol.asyncDispose]());

describe("a connection is not used again", () => {
  it.each([
    ["that the server will close", OK.replace("OK\r\n", "OK\r\nConnection: close\r\n")],
    ["that the server keeps for a moment only", OK.replace("OK\r\n", "OK\r\nKeep-Alive: timeout=2\r\n")],
    ["with an answer of HTTP/1.0", OK.replace("1.1", "1.0")],
    ["with bytes behind the answer", `${OK}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged`],
  ])("%s", async (_, answer) => {
    const scene = await open((socket, _text, connection) => socket.write(connection === 1 ? answer : OK));
    expect(await scene.ask()).toEqual({ status: 200, body: "ok", failure: "" });
    expect(await scene.ask()).toEqual({ status: 200, body: "ok", failure: "" });
    expect(scene.sockets).toHaveLength(2);
    await expect.poll(() => scene.sockets[0]?.destroyed, POLL).toBe(true);
  });

  it("longer than the server says", async () => {
    const answer = OK.replace("OK\r\n", "OK\r\nKeep-Alive: timeout=3\r\n");
    const scene = await open((socket) => socket.write(answer), { unusedMs: 20_000 });
    await scene.ask();
    await scene.ask();
    expect(scene.sockets).toHaveLength(1);
    await expect.poll(() => scene.sockets[0]?.destroyed, POLL).toBe(true);
  });

  it.each([
    ["words nobody asked for", (socket: Socket) => socket.write(`HTTP/1.1 408 Request Timeout\r\n\r\n`)],
    ["an end", (socket: Socket) => socket.end()],
    ["a reset", (socket: Socket) => socket.resetAndDestroy()],
  ])("when %s came with the wish for the next request: that goes over another, untold", async (_, spoil) => {
    const asked = Promise.withResolvers<Answer>();
    const scene = await open((socket, text) => {
      if (text === "now") asked.resolve(scene.ask());
      else socket.write(OK);
    });
    await scene.ask();
    const [first] = scene.sockets;
    const trigger = connect(scene.port, "127.0.0.1");
    await expect.poll(() => scene.sockets.length, POLL).toBe(2);
    // Both wait in the kernel when the event loop looks there again: the wish first, then what spoils the connection.
    trigger.write("now");
    if (first !== undefined) spoil(first);
    expect(await asked.promise).toEqual({ status: 200, body: "ok", failure: "" });
    expect(scene.sockets).toHaveLength(3);
    trigger.destroy();
  });

  it("when its answer came before the request was sent: the answer is passed on", async () => {
    const scene = await open((socket) => {
      socket.pause();
      if (!socket.writableEnded) socket.end("HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nno!");
    });
    expect(await scene.ask({ body: LARGE })).toEqual({ status: 413, body: "no!", failure: "" });
    await expect.poll(() => scene.sockets[0]?.resume().destroyed, POLL).toBe(true);
  });
});

describe("time passes", () => {
  it("without an answer", async () => {
    const scene = await open(() => {});
    const started = performance.now();
    expect(await scene.ask({ firstByteMs: SHORT_MS })).toMatchObject({ failure: "FIRST_BYTE_TIMEOUT" });
    expect(performance.now() - started).toBeGreaterThanOrEqual(SHORT_MS);
    await expect.poll(() => scene.sockets[0]?.destroyed, POLL).toBe(true);
  });

  it("in the middle of one", async () => {
    const scene = await open((socket) => socket.write(OK.slice(0, -1)));
    expect(await scene.ask({ idleMs: SHORT_MS })).toMatchObject({ body: "o", failure: "SILENCE_TIMEOUT" });
  });

  it("while it is paused, which is nobody's fault", async () => {
    const scene = await open((socket) => socket.write(OK.slice(0, -1)));
    const sent = send(scene.upstream, { idleMs: SHORT_MS });
    await sent.begun;
    sent.pause();
    // As long as this one is waited for, the paused one could have been cut off twice.
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await scene.ask({ idleMs: SHORT_MS })).toMatchObject({ failure: "SILENCE_TIMEOUT" });
    }
    scene.sockets[0]?.write("k");
    sent.resume();
    expect(await sent.answer).toEqual({ status: 200, body: "ok", failure: "" });
  });

  it("while a large request is sent, which is no silence", async () => {
    const body = Array.from({ length: 1_000 }, () => Buffer.alloc(0)).fill(Buffer.alloc(65_536, 120));
    let received = 0;
    const scene = await open((socket, text) => {
      received += text.length;
      socket.pause();
      setTimeout(() => socket.resume(), 1);
      if (received > body.length * 65_536) socket.write(OK);
    });
    const started = performance.now();
    expect(await scene.ask({ body, firstByteMs: LONG_MS })).toMatchObject({ status: 200, failure: "" });
    // Else the test has shown nothing.
    expect(performance.now() - started).toBeGreaterThan(LONG_MS);
  });
});

describe("a request", () => {
  it("arrives whole and in order, small or large", async () => {
    for (const body of [[], [Buffer.from("{}")], LARGE.slice(0, 3), LARGE]) {
      let text = "";
      const whole = Buffer.concat(body).toString("latin1");
      const scene = await open((socket, piece) => {
        text += piece;
        const head = text.indexOf("\r\n\r\n");
        if (head >= 0 && text.length === head + 4 + whole.length) socket.write(OK);
      });
      expect(await scene.ask({ path: "/v1/a?b=c", body })).toMatchObject({ status: 200 });
      const [head = ""] = text.split("\r\n\r\n", 1);
      expect(head.split("\r\n")).toEqual([
        "POST /v1/a?b=c HTTP/1.1",
        expect.stringMatching(/^host: 127\.0\.0\.1:\d+$/),
        "content-type: application/json",
        "x-goog-api-key: test-key-1",
        "accept-encoding: identity",
        `content-length: ${whole.length}`,
      ]);
      expect(text.slice(head.length + 4) === whole).toBe(true);
      await scene[Symbol.asyncDispose]();
    }
  });

  it.each([
    ["a line end in a value", { rawHeaders: ["x", "a\r\nb: c"] }],
    ["NUL in a value", { rawHeaders: ["x", "\0"] }],
    ["a character that is no octet", { rawHeaders: ["x", "\u0100"] }],
    ["a line end in a name", { rawHeaders: ["x\r\ny", "a"] }],
    ["an empty name", { rawHeaders: ["", "a"] }],
    ["a space in its path", { path: "/a b" }],
    ["a line end in its path", { path: "/a\r\nb" }],
    ["a space in its method", { method: "GET /" }],
    ["no method", { method: "" }],
    ["a line end in the key", { credential: "a\r\nb" }],
  ])("with %s is not sent, not even in part", async (_, options) => {
    const scene = await open((socket) => socket.write(OK));
    expect(await scene.ask(options)).toMatchObject({ failure: "UNSENDABLE" });
    expect(scene.sockets).toHaveLength(0);
  });

  it("of HEAD has its answer with the head", async () => {
    const scene = await open((socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"));
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await scene.ask({ method: "HEAD", body: [] })).toEqual({ status: 200, body: "", failure: "" });
    }
    expect(scene.sockets).toHaveLength(1);
  });
});

describe("an answer", () => {
  it.each([
    ["that is none", "SSH-2.0-x\r\n", "ANSWER_HEAD_MALFORMED"],
    ["of an endless head", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(70_000)}`, "ANSWER_HEAD_TOO_LARGE"],
    ["framed twice", OK.replace("OK\r\n", "OK\r\ntransfer-encoding: chunked\r\n"), "ANSWER_HEAD_MALFORMED"],
    [
      "of broken chunks",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok0",
      "ANSWER_CHUNK_MALFORMED",
    ],
    ["that changes the protocol", "HTTP/1.1 101 x\r\n\r\n", "ANSWER_UPGRADED"],
  ])("%s fails with a word for it, and its connection is closed", async (_, text, code) => {
    const scene = await open((socket) => socket.write(text));
    expect(await scene.ask()).toMatchObject({ failure: code });
    await expect.poll(() => scene.sockets[0]?.destroyed, POLL).toBe(true);
  });

  it.each([
    "",
    "HTTP/1.1 200",
    OK.slice(0, -1),
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
  ])("that ends after %j is broken off", async (text) => {
    const scene = await open((socket) => socket.end(text));
    expect(await scene.ask()).toMatchObject({ failure: "CONNECTION_CLOSED" });
  });

  it("without a length ends with its connection, though not with a reset", async () => {
    const scene = await open((socket, _text, connection) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\nok");
      if (connection === 1) socket.end();
    });
    expect(await scene.ask()).toEqual({ status: 200, body: "ok", failure: "" });
    const reset = send(scene.upstream);
    await reset.begun;
    scene.sockets[1]?.resetAndDestroy();
    expect(await reset.answer).toMatchObject({ body: "ok", failure: "ECONNRESET" });
  });
});
