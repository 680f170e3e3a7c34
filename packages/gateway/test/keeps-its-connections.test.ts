import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { startPool } from "./harness/pool.ts";
import { ask } from "./harness/requests.ts";
import { openUpstream, send, startServer, trustedCertificate } from "./harness/way-out.ts";

const tls = trustedCertificate();
const POLL = { timeout: 5_000, interval: 5 };
/** What a slow upstream is given in these tests, milliseconds. */
const SHORT_MS = 300;

describe("one connection after the other", () => {
  it("serves many requests over few", async () => {
    await using server = await startServer();
    await using upstream = openUpstream(server.url);
    for (let round = 0; round < 50; round += 1) {
      const answers = await Promise.all(Array.from({ length: 4 }, () => send(upstream).answer));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
    }
    // A connection is free a moment after its answer has ended: the second round may find none.
    expect(server.accepted).toBeLessThanOrEqual(8);
  });

  it("resumes the TLS session, also after a garbage collection", async () => {
    await using server = await startServer(tls);
    await using upstream = openUpstream(server.url);
    for (let round = 0; round < 3; round += 1) {
      expect(await send(upstream).answer).toMatchObject({ status: 200, failure: "" });
      server.server.closeIdleConnections();
      await expect.poll(() => server.sockets.size, POLL).toBe(0);
      collectGarbage();
    }
    expect(server.resumed).toEqual([false, true, true]);
  });

  it("closes what is not used", async () => {
    await using server = await startServer();
    await using upstream = openUpstream(server.url, { unusedMs: 20 });
    await Promise.all(Array.from({ length: 3 }, () => send(upstream).answer));
    expect(server.accepted).toBe(3);
    await expect.poll(() => server.sockets.size, POLL).toBe(0);
    expect((await send(upstream).answer).status).toBe(200);
  });

  it("opens another when the upstream closed the unused one", async () => {
    await using server = await startServer();
    await using upstream = openUpstream(server.url);
    await send(upstream).answer;
    server.server.closeIdleConnections();
    await expect.poll(() => server.sockets.size, POLL).toBe(0);
    expect(await send(upstream).answer).toMatchObject({ status: 200, failure: "" });
  });

  it("is not given a second request while it has one, nor after one was cut off", async () => {
    await using server = await startServer();
    await using upstream = openUpstream(server.url);
    const held = send(upstream, { path: "/hold" });
    expect(await held.begun).toBe("begun");
    expect((await send(upstream).answer).status).toBe(200);
    held.abort();
    expect((await held.answer).failure).not.toBe("");
    await expect.poll(() => server.sockets.size, POLL).toBe(1);
    expect((await send(upstream).answer).status).toBe(200);
    expect(server.accepted).toBe(2);
  });

  it("is free again after a request that could not be sent", async () => {
    await using server = await startServer();
    await using upstream = openUpstream(server.url, { connectionsMax: 1 });
    expect((await send(upstream, { rawHeaders: ["x-bad", "line\nbreak"] }).answer).failure).toBe(
      "UNSENDABLE",
    );
    expect((await send(upstream).answer).status).toBe(200);
  });
});

describe("their number", () => {
  it("is bounded; beyond it a request fails at once", async () => {
    await using server = await startServer();
    await using upstream = openUpstream(server.url, { connectionsMax: 2 });
    const held = [send(upstream, { path: "/hold" }), send(upstream, { path: "/hold" })];
    await Promise.all(held.map(({ begun }) => begun));
    expect((await send(upstream).answer).failure).toBe("CONNECTIONS_EXHAUSTED");
    held[0]?.abort();
    await expect.poll(() => server.sockets.size, POLL).toBe(1);
    await expect.poll(async () => (await send(upstream).answer).status, POLL).toBe(200);
  });

  it("is none after the end, with requests told and nothing opened anew", async () => {
    await using server = await startServer();
    const upstream = openUpstream(server.url);
    const held = send(upstream, { path: "/hold" });
    await held.begun;
    await upstream[Symbol.asyncDispose]();
    expect((await held.answer).failure).not.toBe("");
    await expect.poll(() => server.sockets.size, POLL).toBe(0);
    expect((await send(upstream).answer).failure).not.toBe("");
    expect(server.accepted).toBe(1);
  });
});

describe("an upstream that cannot be reached", () => {
  it("has a name that does not resolve", async () => {
    // A label of 64 characters is refused by the resolver itself: no question leaves the machine.
    await using upstream = openUpstream(`http://${"x".repeat(64)}.test`);
    expect((await send(upstream).answer).failure).toBe("ENOTFOUND");
  });

  it("has nobody listening, and is found again when somebody does", async () => {
    const server = await startServer();
    const { port } = server;
    await server[Symbol.asyncDispose]();
    await using upstream = openUpstream(server.url);
    expect((await send(upstream).answer).failure).toBe("ECONNREFUSED");
    const late = createServer((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).listen(
      port,
      "127.0.0.1",
    );
    await once(late, "listening");
    expect((await send(upstream).answer).status).toBe(200);
    late.close();
  });

  it("falls silent in the TLS handshake: the deadline holds and the socket is closed", async () => {
    const silent = createServer((socket) => socket.on("error", () => {}).resume()).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    await using upstream = openUpstream(`https://localhost:${port}`, { connectMs: SHORT_MS });
    expect((await send(upstream).answer).failure).toBe("CONNECT_TIMEOUT");
    // Resolves only when the last connection is gone.
    silent.close();
    await once(silent, "close");
  });

  it("closes every connection it accepts: the request is told, not sent for ever", async () => {
    let accepted = 0;
    const closing = createServer((socket) => {
      accepted += 1;
      socket.on("error", () => {}).destroy();
    }).listen(0, "127.0.0.1");
    await once(closing, "listening");
    const { port } = closing.address() as AddressInfo;
    await using upstream = openUpstream(`http://127.0.0.1:${port}`);
    expect((await send(upstream).answer).failure).not.toBe("");
    expect(accepted).toBeLessThanOrEqual(2);
    closing.close();
  });

  it("answers on one of its addresses only", async () => {
    // `localhost` is ::1 and 127.0.0.1 on most machines; this server listens on the second.
    await using server = await startServer();
    await using upstream = openUpstream(`http://localhost:${server.port}`);
    expect((await send(upstream).answer).status).toBe(200);
  });
});

it("retries a request whose kept connection broke, unseen, even with a single key", async () => {
  await using pool = await startPool({
    projects: [{ name: "alpha", keys: ["test-key-1"] }],
    flags: { workers: 1 },
  });
  expect((await ask(pool.url)).status).toBe(200);
  pool.emulator.fault({ times: 1, fault: { kind: "reset" } });
  expect((await ask(pool.url)).status).toBe(200);
  expect(await pool.requestLogged(({ attempts }) => attempts === 2)).toMatchObject({ outcome: "served" });
});

/** Node hands out its collector only on request, and vitest starts without it. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
