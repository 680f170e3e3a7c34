import { selfSignedCertificate } from "gemini-emulator/self-signed";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { startConnectProxy } from "./harness/connect-proxy.ts";
import { startPool } from "./harness/pool.ts";
import { ask, askStream, eventsOf } from "./harness/requests.ts";
import { openUpstream, send, startServer, trustedCertificate } from "./harness/way-out.ts";

const tls = trustedCertificate();
const POLL = { timeout: 5_000, interval: 5 };
/** What a slow proxy is given in these tests, milliseconds. */
const SHORT_MS = 300;

function withCredentials(url: URL, credentials: string): URL {
  return new URL(url.href.replace("//", `//${credentials}@`));
}

describe("tunnels", () => {
  it.for([
    ["an http upstream through an http proxy", undefined, undefined],
    ["an https upstream through an http proxy", tls, undefined],
    ["an http upstream through an https proxy", undefined, tls],
    ["an https upstream through an https proxy", tls, tls],
  ] as const)("%s, with many requests on one connection", async ([, serverTls, proxyTls]) => {
    await using server = await startServer(serverTls);
    await using proxy = await startConnectProxy(proxyTls === undefined ? {} : { tls: proxyTls });
    await using upstream = openUpstream(server.url, { proxy: proxy.url });
    for (let round = 0; round < 5; round += 1) {
      expect(await send(upstream).answer).toEqual({ status: 200, body: "ok", failure: "" });
    }
    expect(proxy.requests.map(({ authority }) => authority)).toContain(`127.0.0.1:${server.port}`);
    // A connection is free a moment after its answer has ended: the second request may find none.
    expect(proxy.requests.length).toBeLessThanOrEqual(2);
  });

  it("with credentials, which the upstream never sees", async () => {
    await using proxy = await startConnectProxy({ credentials: "alice:open sesame%" });
    const flags = { proxy: withCredentials(proxy.url, "alice:open%20sesame%25").href };
    await using pool = await startPool({ flags });
    expect((await ask(pool.url)).status).toBe(200);
    expect(eventsOf(await (await askStream(pool.url)).text()).length).toBeGreaterThan(1);
    const seen = JSON.stringify(pool.emulator.calls.recent().map(({ headers }) => headers));
    expect(seen).not.toMatch(/proxy-|sesame|c2VzYW1l/i);
  });

  it("the names for the proxy to resolve, telling it nothing of the request", async () => {
    await using server = await startServer();
    await using proxy = await startConnectProxy();
    await using upstream = openUpstream(`http://gemini.test:${server.port}`, { proxy: proxy.url });
    expect(await send(upstream).answer).toMatchObject({ status: 200 });
    const [request] = proxy.requests;
    expect(request?.authority).toBe(`gemini.test:${server.port}`);
    expect(Object.keys(request?.headers ?? {}).toSorted()).toEqual(["connection", "host"]);
  });

  it("resumes TLS sessions", async () => {
    await using server = await startServer(tls);
    await using proxy = await startConnectProxy();
    await using upstream = openUpstream(server.url, { proxy: proxy.url });
    await send(upstream).answer;
    server.server.closeIdleConnections();
    await expect.poll(() => proxy.open, POLL).toBe(0);
    expect(await send(upstream).answer).toMatchObject({ status: 200 });
    expect(server.resumed).toEqual([false, true]);
  });
});

describe("tells what went wrong, and leaves no socket behind", () => {
  it.for([
    ["another password is wanted", { credentials: "alice:right" }, "alice:wrong", "PROXY_AUTH_REFUSED"],
    ["the proxy's rules forbid it", { refuseWith: 403 }, "alice:any", "PROXY_REFUSED"],
    ["the proxy cannot reach the upstream", { refuseWith: 502 }, "alice:any", "PROXY_REFUSED"],
  ] as const)("%s", async ([, options, credentials, code]) => {
    await using proxy = await startConnectProxy(options);
    await using upstream = openUpstream("https://localhost:9", {
      proxy: withCredentials(proxy.url, credentials),
    });
    expect(await send(upstream).answer).toEqual({ status: 0, body: "", failure: code });
    await expect.poll(() => proxy.open, POLL).toBe(0);
  });

  it.for([
    ["is no HTTP proxy", "nonsense\r\n\r\n"],
    ["closes at once", ""],
    ["sends more than its answer", "HTTP/1.1 200 OK\r\n\r\nmore"],
  ] as const)("the proxy %s", async ([, words]) => {
    const server = createServer((socket) =>
      socket
        .on("error", () => {})
        .resume()
        .end(words),
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await using upstream = openUpstream("https://localhost:9", {
      proxy: new URL(`http://127.0.0.1:${port}`),
    });
    expect((await send(upstream).answer).failure).toBe("PROXY_BROKEN");
    server.close();
    await once(server, "close");
  });

  it("the proxy is down", async () => {
    const proxy = await startConnectProxy();
    await proxy[Symbol.asyncDispose]();
    await using upstream = openUpstream("https://localhost:9", { proxy: proxy.url });
    expect((await send(upstream).answer).failure).toBe("PROXY_UNREACHABLE");
  });

  it("the certificate of an https proxy is nobody's we trust", async () => {
    await using proxy = await startConnectProxy({ tls: selfSignedCertificate(Date.now()) });
    await using upstream = openUpstream("https://localhost:9", { proxy: proxy.url });
    expect((await send(upstream).answer).failure).toBe("PROXY_UNREACHABLE");
    expect(proxy.requests).toEqual([]);
  });

  it("the proxy never answers", async () => {
    await using proxy = await startConnectProxy({ silent: true });
    await using upstream = openUpstream("https://localhost:9", { proxy: proxy.url, connectMs: SHORT_MS });
    expect((await send(upstream).answer).failure).toBe("CONNECT_TIMEOUT");
    expect(proxy.requests).toHaveLength(1);
    await expect.poll(() => proxy.open, POLL).toBe(0);
  });

  it("to the log and the client without a word of the proxy's password", async () => {
    await using proxy = await startConnectProxy({ credentials: "alice:right-sesame" });
    await using pool = await startPool({
      flags: { proxy: withCredentials(proxy.url, "alice:wrong-sesame").href },
    });
    const refused = await ask(pool.url);
    expect(refused.status).toBe(503);
    expect(await pool.requestLogged()).toMatchObject({ outcome: "network" });
    const shown = (await refused.text()) + JSON.stringify([...refused.headers]) + pool.logLines.join("");
    expect(shown).not.toMatch(/sesame|alice|YWxpY2U/);
  });
});
