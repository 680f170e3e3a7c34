import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { socksDial } from "../src/egress/socks-dial.ts";
import { startPool } from "./harness/pool.ts";
import { ask, askStream, eventsOf } from "./harness/requests.ts";
import { startSocksServer, type SilentAt, type SocksServer } from "./harness/socks-server.ts";
import { openUpstream, send, startServer, trustedCertificate } from "./harness/way-out.ts";

const tls = trustedCertificate();
const POLL = { timeout: 5_000, interval: 5 };
/** What a slow proxy is given in these tests, milliseconds. */
const SHORT_MS = 300;

function proxyUrl({ port }: SocksServer, scheme = "socks5h", credentials = ""): URL {
  return new URL(`${scheme}://${credentials}127.0.0.1:${port}`);
}

describe("reaches the upstream", () => {
  it.for([
    ["socks5", 5, "address"],
    ["socks5h", 5, "name"],
    ["socks4", 4, "address"],
    ["socks4a", 4, "name"],
  ] as const)("by %s, version %d, giving the proxy the %s", async ([scheme, version, kind]) => {
    await using server = await startServer();
    await using proxy = await startSocksServer();
    await using upstream = openUpstream(`http://localhost:${server.port}`, {
      proxy: proxyUrl(proxy, scheme),
    });
    expect(await send(upstream).answer).toEqual({ status: 200, body: "ok", failure: "" });
    expect(proxy.requests).toMatchObject([{ version, kind, port: server.port }]);
    expect(proxy.requests.map(({ host }) => host === "localhost")).toEqual([kind === "name"]);
  });

  it("over TLS, checked against the upstream's name, and resumes the session on the next connection", async () => {
    await using server = await startServer(tls);
    await using proxy = await startSocksServer();
    await using upstream = openUpstream(`https://localhost:${server.port}`, { proxy: proxyUrl(proxy) });
    expect(await send(upstream).answer).toMatchObject({ status: 200, failure: "" });
    server.server.closeIdleConnections();
    await expect.poll(() => proxy.open, POLL).toBe(0);
    expect(await send(upstream).answer).toMatchObject({ status: 200, failure: "" });
    expect(server.resumed).toEqual([false, true]);
  });

  it("refuses an upstream whose certificate names somebody else", async () => {
    await using server = await startServer(tls);
    await using proxy = await startSocksServer();
    await using upstream = openUpstream(`https://somebody.test:${server.port}`, { proxy: proxyUrl(proxy) });
    expect(await send(upstream).answer).toMatchObject({ status: 0, failure: "ERR_TLS_CERT_ALTNAME_INVALID" });
    await expect.poll(() => proxy.open, POLL).toBe(0);
  });

  it.for([
    ["with a user and a password", "alice:open%20sesame@", { user: "alice", password: "open sesame" }],
    ["with a password that holds a bare percent sign", "alice:100%@", { user: "alice", password: "100%" }],
  ] as const)("%s", async ([, credentials, wanted]) => {
    await using server = await startServer();
    await using proxy = await startSocksServer(wanted);
    await using upstream = openUpstream(server.url, { proxy: proxyUrl(proxy, "socks5h", credentials) });
    expect(await send(upstream).answer).toMatchObject({ status: 200 });
    expect(proxy.requests).toMatchObject([{ user: "alice" }]);
  });

  it("by a proxy at an IPv6 address", async () => {
    await using server = await startServer();
    await using proxy = await startSocksServer({ host: "::1" });
    await using upstream = openUpstream(server.url, { proxy: new URL(`socks5h://[::1]:${proxy.port}`) });
    expect(await send(upstream).answer).toMatchObject({ status: 200 });
  });

  it("with few connections for many requests", async () => {
    await using server = await startServer();
    await using proxy = await startSocksServer();
    await using upstream = openUpstream(server.url, { proxy: proxyUrl(proxy) });
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(Array.from({ length: 4 }, () => send(upstream).answer));
    }
    // A connection is free a moment after its answer has ended: the second round may find none.
    expect(proxy.requests.length).toBeLessThanOrEqual(8);
  });
});

describe("tells what went wrong, and leaves no socket behind", () => {
  it.for([
    [
      "another password is wanted",
      { user: "alice", password: "right" },
      "alice:wrong@",
      "PROXY_AUTH_REFUSED",
    ],
    ["a password is wanted", { user: "alice", password: "right" }, "", "PROXY_AUTH_REFUSED"],
    [
      "the password is longer than SOCKS can say",
      { user: "alice", password: "right" },
      `alice:${"x".repeat(256)}@`,
      "PROXY_AUTH_REFUSED",
    ],
    ["the proxy cannot resolve or reach the upstream", { refuseWith: 4 }, "", "PROXY_REFUSED"],
    ["the proxy's rules forbid it", { refuseWith: 2 }, "", "PROXY_REFUSED"],
    ["the proxy is no SOCKS proxy", { greeting: "HTTP/1.1 400 Bad Request\r\n\r\n" }, "", "PROXY_BROKEN"],
    ["the proxy closes at once", { greeting: "" }, "", "PROXY_BROKEN"],
  ] as const)("%s", async ([, options, credentials, code]) => {
    await using proxy = await startSocksServer(options);
    await using upstream = openUpstream("http://localhost:9", {
      proxy: proxyUrl(proxy, "socks5h", credentials),
    });
    expect(await send(upstream).answer).toEqual({ status: 0, body: "", failure: code });
    await expect.poll(() => proxy.open, POLL).toBe(0);
  });

  it("the proxy is down", async () => {
    const proxy = await startSocksServer();
    await proxy[Symbol.asyncDispose]();
    await using upstream = openUpstream("http://localhost:9", { proxy: proxyUrl(proxy) });
    expect((await send(upstream).answer).failure).toBe("PROXY_UNREACHABLE");
  });

  it("the upstream's name does not resolve here", async () => {
    await using proxy = await startSocksServer();
    // A label of 64 characters is refused by the resolver itself: no question leaves the machine.
    await using upstream = openUpstream(`http://${"x".repeat(64)}.test`, {
      proxy: proxyUrl(proxy, "socks5"),
    });
    expect((await send(upstream).answer).failure).toBe("ENOTFOUND");
    expect(proxy.accepted).toBe(0);
  });

  it.for(["greeting", "method", "request"] as const)(
    "the proxy falls silent at its %s",
    async (silentAt: SilentAt) => {
      await using proxy = await startSocksServer({ silentAt });
      await using upstream = openUpstream("http://localhost:9", {
        proxy: proxyUrl(proxy),
        connectMs: SHORT_MS,
      });
      expect((await send(upstream).answer).failure).toBe("CONNECT_TIMEOUT");
      expect(proxy.accepted).toBe(1);
      await expect.poll(() => proxy.open, POLL).toBe(0);
    },
  );

  it("silence falls in the middle of the TLS handshake", async () => {
    await using proxy = await startSocksServer({ silentAt: "granted" });
    await using upstream = openUpstream("https://localhost:9", {
      proxy: proxyUrl(proxy),
      connectMs: SHORT_MS,
    });
    expect((await send(upstream).answer).failure).toBe("CONNECT_TIMEOUT");
    expect(proxy.requests).toHaveLength(1);
    await expect.poll(() => proxy.open, POLL).toBe(0);
  });

  it("nothing bounds an open connection's silence but the gateway's own times", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    await using proxy = await startSocksServer();
    const dial = socksDial(proxyUrl(proxy), SHORT_MS);
    const { port } = server.address() as AddressInfo;
    const socket = await dial({ host: "localhost", port }, new AbortController().signal);
    expect(socket.timeout ?? 0).toBe(0);
    socket.destroy();
    server.close();
  });
});

describe("a gateway behind a SOCKS proxy", () => {
  it("serves, streams, and aborts the upstream of a client that leaves", async () => {
    await using proxy = await startSocksServer({ user: "alice", password: "sesame" });
    await using pool = await startPool({
      flags: { proxy: proxyUrl(proxy, "socks5h", "alice:sesame@").href },
    });
    expect((await ask(pool.url)).status).toBe(200);
    expect(eventsOf(await (await askStream(pool.url)).text()).length).toBeGreaterThan(1);

    pool.emulator.fault({
      match: { operation: "streamGenerateContent" },
      fault: { kind: "stall", afterEvents: 1 },
    });
    const leaving = new AbortController();
    await askStream(pool.url, { signal: leaving.signal });
    await pool.emulator.waitForCall(({ phase }) => phase === "held");
    leaving.abort();
    expect((await pool.emulator.waitForCall(({ aborted }) => aborted)).phase).toBe("done");
  });

  it("never blames a key for its proxy, and never shows the proxy's password", async () => {
    await using proxy = await startSocksServer({ user: "alice", password: "right-sesame" });
    const flags = { proxy: proxyUrl(proxy, "socks5h", "alice:wrong-sesame@").href };
    await using pool = await startPool({ flags, projects: [{ name: "alpha", keys: ["test-key-1"] }] });
    const refused = await ask(pool.url);
    expect(refused.status).toBe(503);
    const body = await refused.text();
    expect(await pool.requestLogged()).toMatchObject({ outcome: "network", attempts: 5 });
    expect(proxy.requests).toEqual([]);
    expect(body + JSON.stringify([...refused.headers]) + pool.logLines.join("")).not.toMatch(/sesame|alice/);
    expect(pool.gateway.scheduler.summary(Date.now()).availableKeys).toBe(1);
  });

  it("tells a client that a proxy which does not answer took too long", async () => {
    await using proxy = await startSocksServer({ silentAt: "request" });
    const flags = { proxy: proxyUrl(proxy).href, "timeouts-connect": `${SHORT_MS}ms`, "retry-attempts": 2 };
    await using pool = await startPool({ flags });
    expect((await ask(pool.url)).status).toBe(504);
    expect(await pool.requestLogged()).toMatchObject({ outcome: "network", attempts: 2 });
    await expect.poll(() => proxy.accepted, POLL).toBe(2);
    await expect.poll(() => proxy.open, POLL).toBe(0);
  });
});
