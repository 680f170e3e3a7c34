/** The listener of a worker by itself, on real sockets, with an echo in place of the gateway behind it. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { promisify } from "node:util";
import { expect, it, type MockInstance, vi } from "vitest";
import type { BodyFault, BodyReader, ClientCall } from "../src/worker/client/client-call.ts";
import { FastCall } from "../src/worker/client/fast-call.ts";
import { createHttpServer } from "../src/worker/http-server.ts";
import { RequestIds } from "../src/worker/request-ids.ts";
import { configFor } from "./harness/pool.ts";
import { RawClient } from "./harness/raw-client.ts";

const GET = "GET /a HTTP/1.1\r\nHost: g\r\n\r\n";
const MEBIBYTE = 1_048_576;

const NO_UPGRADES = { wants: () => false, take: () => {} };

interface Listener extends AsyncDisposable {
  readonly port: number;
  readonly server: Server;
}

async function listen(
  receive: (call: ClientCall) => void,
  flags: Parameters<typeof configFor>[2] = {},
): Promise<Listener> {
  const config = configFor("unused", "http://127.0.0.1:1", flags);
  const server = createHttpServer(config, new RequestIds(), { receive, live: NO_UPGRADES });
  server.listen({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  return {
    server,
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Answers when the body is whole with what it was, and by which way it came. */
class Echo implements BodyReader {
  readonly #call: ClientCall;
  readonly #chunks: Buffer[] = [];

  constructor(call: ClientCall) {
    this.#call = call;
    call.readBody(this);
  }

  bodyChunk(chunk: Buffer): void {
    this.#chunks.push(Buffer.from(chunk));
  }

  bodyEnded(): void {
    const way = this.#call instanceof FastCall ? "fast" : "node";
    const text = `${way} ${this.#call.method} ${this.#call.target} ${Buffer.concat(this.#chunks).toString("latin1")}`;
    this.#call.send(200, ["content-length", String(text.length)], text);
  }

  bodyBroken(fault: BodyFault): void {
    this.#call.closeAfterwards();
    this.#call.send(408, ["content-length", String(fault.length)], fault);
  }
}

const echo = (call: ClientCall): void => void new Echo(call);

function post(body: string): string {
  return `POST /b HTTP/1.1\r\nHost: g\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

async function heard(client: RawClient): Promise<string> {
  return (await client.answer()).body.toString("latin1");
}

it("serves plain requests by itself, and a connection by node from the first that is none", async () => {
  await using listener = await listen(echo);
  using client = await RawClient.open(listener.port, GET);
  expect(await heard(client)).toBe("fast GET /a ");
  client.write(post("x".repeat(70_000)));
  expect(await heard(client)).toBe(`fast POST /b ${"x".repeat(70_000)}`);
  client.write("POST /c HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  expect(await heard(client)).toBe("node POST /c abc");
  client.write(post("d"));
  expect(await heard(client)).toBe("node POST /b d");
});

it("takes a body in whatever pieces it comes", async () => {
  await using listener = await listen(echo);
  using client = await RawClient.open(listener.port);
  for (const pieces of [["abc"], ["a", "bc"], ["a", "b", "c"]]) {
    client.write("POST /b HTTP/1.1\r\nHost: g\r\nContent-Length: 3\r\n\r\n");
    // Another connection has been served meanwhile: the piece before has arrived alone.
    using other = await RawClient.open(listener.port);
    for (const piece of pieces) {
      other.write(GET);
      await heard(other);
      client.write(piece);
    }
    expect(await heard(client)).toBe("fast POST /b abc");
  }
});

it("answers by node what is sent as one, in its order", async () => {
  await using listener = await listen(echo);
  using client = await RawClient.open(listener.port, GET + post("one") + post("two"));
  expect(await heard(client)).toBe("node GET /a ");
  expect(await heard(client)).toBe("node POST /b one");
  expect(await heard(client)).toBe("node POST /b two");
});

it("keeps what is sent ahead of an answer, up to a bound, and serves it afterwards", async () => {
  const calls: ClientCall[] = [];
  await using listener = await listen((call) => (calls.length === 0 ? calls.push(call) : echo(call)));
  using client = await RawClient.open(listener.port, GET);
  await expect.poll(() => calls.length).toBe(1);
  const bodies = Array.from({ length: 256 }, (_, at) => String(at).padEnd(100_000, "."));
  for (const body of bodies) client.write(post(body));
  // The kernel's buffers are full, and nobody reads: what the client still holds grows no less.
  let left = -1;
  await expect
    .poll(() => {
      const before = left;
      left = client.socket.writableLength;
      return left > MEBIBYTE && left === before;
    })
    .toBe(true);
  calls[0]?.send(200, ["content-length", "2"], "ok");
  expect(await heard(client)).toBe("ok");
  for (const body of bodies) expect((await heard(client)).slice(5)).toBe(`POST /b ${body}`);
});

it("holds a client back while the reader of its body wants no more", async () => {
  let received = 0;
  const calls: ClientCall[] = [];
  await using listener = await listen(
    (call) => {
      calls.push(call);
      call.readBody({
        bodyChunk: (chunk) => {
          received += chunk.length;
          call.pauseBody();
        },
        bodyEnded: () => call.send(200, ["content-length", "2"], "ok"),
        bodyBroken: () => undefined,
      });
    },
    { "limits-body": "100MB" },
  );
  const bytes = 64 * MEBIBYTE;
  using client = await RawClient.open(listener.port);
  client.write(`PUT /upload HTTP/1.1\r\nHost: g\r\nContent-Length: ${bytes}\r\n\r\n`);
  client.write(Buffer.alloc(bytes, "x"));
  await expect.poll(() => received).toBeGreaterThan(0);
  const paused = received;
  using other = await RawClient.open(
    listener.port,
    "POST /late HTTP/1.1\r\nHost: g\r\nContent-Length: 0\r\n\r\n",
  );
  expect((await other.answer()).status).toBe(200);
  expect(received).toBe(paused);
  const [upload] = calls;
  const more = setInterval(() => upload?.resumeBody(), 0);
  expect(await heard(client).finally(() => clearInterval(more))).toBe("ok");
  expect(received).toBe(bytes);
});

it("goes on with the connection when the answer came before the body was whole", async () => {
  await using listener = await listen((call) =>
    call.target === "/b" ? call.send(403, ["content-length", "2"], "no") : echo(call),
  );
  const body = "x".repeat(200_000);
  using client = await RawClient.open(listener.port, post(body).slice(0, 1000));
  expect(await heard(client)).toBe("no");
  client.write(post(body).slice(1000));
  client.write(GET);
  expect(await heard(client)).toMatch(/^(fast|node) GET \/a $/);
});

it("tells whoever waits that the client has left, and only then", async () => {
  const left: string[] = [];
  let seen = 0;
  const open = (call: ClientCall): void => {
    seen += 1;
    call.watch({ clientLeft: () => left.push(call.target), clientDrained: () => undefined });
    if (call.target === "/a") echo(call);
  };
  await using listener = await listen(open);
  {
    using client = await RawClient.open(listener.port, GET);
    expect(await heard(client)).toBe("fast GET /a ");
    client.write("GET /waiting HTTP/1.1\r\nHost: g\r\n\r\n");
    await expect.poll(() => seen).toBe(2);
    // Sent ahead; its turn never comes.
    client.write("GET /never HTTP/1.1\r\nHost: g\r\n\r\n");
    client.socket.end();
    await client.closed();
  }
  await expect.poll(() => left).toEqual(["/waiting"]);
});

it("gives the bytes of a stream to the client one by one, whole and cut alike", async () => {
  await using listener = await listen((call) => {
    call.begin(200, ["content-type", "text/plain"]);
    call.flushHead();
    call.write(Buffer.from("one "));
    call.write(Buffer.alloc(100_000, "x"));
    if (call.target === "/a") call.end(" last");
    else call.cut();
  });
  using client = await RawClient.open(listener.port, GET);
  const answer = await client.answer();
  expect(answer.header("transfer-encoding")).toBe("chunked");
  expect(answer.body.toString()).toBe(`one ${"x".repeat(100_000)} last`);
  client.write(GET.replace("/a", "/cut"));
  await client.closed();
  expect(client.received.toString().endsWith("0\r\n\r\n")).toBe(false);
});

it("sends a stream that is there whole as one, and nothing later than it must", async () => {
  const sockets: MockInstance<Socket["write"]>[] = [];
  const lengths = (): number[] => sockets.flatMap(({ mock }) => mock.calls.map(([bytes]) => bytes.length));
  const memory = Buffer.alloc(3);
  const written = (text: string): Buffer => memory.fill(text);
  let early: number[] = [];
  await using listener = await listen((call) => {
    call.begin(200, ["content-type", "text/plain"]);
    call.write(written("one"));
    if (call.target === "/a") {
      call.end("");
      return;
    }
    if (call.target === "/cut") {
      call.cut();
      return;
    }
    // By then it has left, without an end: the memory may be used again.
    setImmediate(() => {
      early = lengths();
      call.write(written("two"));
      call.write(Buffer.from("!"));
      call.end("");
    });
  });
  listener.server.on("connection", (socket) => sockets.push(vi.spyOn(socket, "write")));
  using client = await RawClient.open(listener.port, GET);
  expect(await heard(client)).toBe("one");
  const [whole = 0] = lengths();
  expect(lengths()).toEqual([whole]);

  client.write(GET.replace("/a", "/b"));
  expect(await heard(client)).toBe("onetwo!");
  const begun = whole - "0\r\n\r\n".length;
  expect(early).toEqual([whole, begun]);
  expect(lengths().slice(2)).toEqual(["3\r\ntwo\r\n".length, "1\r\n!\r\n".length, "0\r\n\r\n".length]);

  client.write(GET.replace("/a", "/cut"));
  await client.closed();
  expect(client.received.toString().endsWith("3\r\none\r\n")).toBe(true);
});

it("refuses to write a header that would end its line", async () => {
  const told: unknown[] = [];
  await using listener = await listen((call) => {
    try {
      call.send(200, ["x-a", "b\r\nx-c: d", "content-length", "0"], "");
    } catch (error) {
      told.push(error);
      call.send(500, ["content-length", "0"], "");
    }
  });
  using client = await RawClient.open(listener.port, GET);
  expect((await client.answer()).status).toBe(500);
  expect(told).toEqual([expect.any(TypeError)]);
});

it("closes a connection that is not used again in time, and one that sends its body too slowly", async () => {
  await using listener = await listen(echo, {
    "timeouts-client-idle": "1s",
    "timeouts-client-body": "1s",
    "timeouts-client-headers": "1s",
  });
  using idle = await RawClient.open(listener.port, GET);
  expect((await idle.answer()).header("keep-alive")).toBe("timeout=1");
  using slow = await RawClient.open(listener.port, GET);
  await slow.answer();
  slow.write(post("never whole").slice(0, -1));
  await idle.closed();
  expect(idle.received.length).toBe(0);
  expect(await heard(slow)).toBe("unfinished-request");
  await slow.closed();
});

it.each(["keep-alive", "close"])("cuts off a client that takes nothing of its answer (%s)", async (wish) => {
  const bytes = 64 * MEBIBYTE;
  await using listener = await listen(
    (call) => call.send(200, ["content-length", String(bytes)], Buffer.alloc(bytes)),
    { "timeouts-client-stall": "1s" },
  );
  using client = await RawClient.open(listener.port);
  client.socket.pause();
  client.write(`GET / HTTP/1.1\r\nHost: g\r\nConnection: ${wish}\r\n\r\n`);
  const count = promisify(listener.server.getConnections.bind(listener.server));
  const connections = (): Promise<number> => count();
  await expect.poll(connections).toBe(1);
  await expect.poll(connections, { timeout: 10_000 }).toBe(0);
});

it("counts both ways for the limit of connections", async () => {
  await using listener = await listen(echo, { "limits-connections": 2 });
  using fast = await RawClient.open(listener.port, GET);
  expect(await heard(fast)).toBe("fast GET /a ");
  using slow = await RawClient.open(listener.port, `\r\n${GET}`);
  expect(await heard(slow)).toBe("node GET /a ");
  using surplus = await RawClient.open(listener.port);
  await surplus.closed();
});

it("closes idle connections of both ways when it is to close, and lets the others finish", async () => {
  const calls: ClientCall[] = [];
  await using listener = await listen((call) => (call.target === "/held" ? calls.push(call) : echo(call)));
  using unused = await RawClient.open(listener.port);
  using idle = await RawClient.open(listener.port, GET);
  await heard(idle);
  using idleByNode = await RawClient.open(listener.port, `\r\n${GET}`);
  await heard(idleByNode);
  using held = await RawClient.open(listener.port, GET.replace("/a", "/held"));
  await expect.poll(() => calls.length).toBe(1);
  const closed = once(listener.server, "close");
  listener.server.close();
  await unused.closed();
  await idle.closed();
  await idleByNode.closed();
  calls[0]?.closeAfterwards();
  calls[0]?.send(200, ["content-length", "2"], "ok");
  const answer = await held.answer();
  expect(answer.header("connection")).toBe("close");
  expect(answer.body.toString()).toBe("ok");
  await held.closed();
  await closed;
});
