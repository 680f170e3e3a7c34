import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addClient } from "./harness/guard.ts";
import { afterSetup, LIVE_MODEL, LIVE_PATH, LiveClient, startLiveUpstream } from "./harness/live.ts";
import { startPool, type Pool } from "./harness/pool.ts";
import { exchangeRaw, RawClient } from "./harness/raw-client.ts";

let stack = new AsyncDisposableStack();
beforeEach(() => {
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());

async function poolWith(options: Parameters<typeof startPool>[0] = {}): Promise<Pool> {
  return stack.use(await startPool(options));
}

function handshake(path = LIVE_PATH, more = ""): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: g\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}\r\n${more}\r\n`
  );
}

const REFUSED = ({ outcome }: { readonly outcome: string }): boolean => outcome === "refused";

describe("answers the handshake itself, in Google's shape", () => {
  it.each([
    ["without leave", { anonymous: "denied" }, "", 401, "unauthenticated"],
    ["from a foreign page", {}, "Origin: https://evil.example\r\n", 403, "foreign-page"],
    [
      "from a page that may not call at all, whoever it is",
      { "cors-origins": "https://good.example", "auth-key": "me=test-secret-1" },
      "Origin: https://evil.example\r\nx-goog-api-key: test-secret-1\r\n",
      403,
      "foreign-page",
    ],
    ["when Live is switched off", { "live-sessions": 0 }, "", 503, "too-many-sessions"],
  ])("%s", async (_what, flags: Readonly<Record<string, string | number>>, more, status, reason) => {
    const pool = await poolWith({ flags });
    const answer = await exchangeRaw(pool.gateway.port, handshake(LIVE_PATH, more));
    expect(answer.status).toBe(status);
    expect(answer.header("content-type")).toContain("application/json");
    expect(answer.header("retry-after")).toBe(status === 503 ? "1" : undefined);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code: status } });
    const row = await pool.requestLogged(REFUSED);
    expect(row).toMatchObject({ status, reason, path: LIVE_PATH, attempts: 0 });
    expect(row.requestId).toBe(answer.header("x-request-id"));
    expect(pool.emulator.calls.recent()).toEqual([]);
  });

  it("to what is no handshake of version 13", async () => {
    const pool = await poolWith();
    const old = handshake().replace("Version: 13", "Version: 8");
    expect((await exchangeRaw(pool.gateway.port, old)).status).toBe(400);
    const keyless = handshake().replace(/Sec-WebSocket-Key: [^\r]*/, "Sec-WebSocket-Key: x");
    expect((await exchangeRaw(pool.gateway.port, keyless)).status).toBe(400);
  });

  it("to an address that has asked too often", async () => {
    const pool = await poolWith({ flags: { "ip-per-minute": 1, "ip-per-hour": 100 } });
    const first = new LiveClient(pool.url);
    await first.setUp();
    const answer = await exchangeRaw(pool.gateway.port, handshake());
    expect(answer.status).toBe(429);
    expect(Number(answer.header("retry-after"))).toBeGreaterThan(0);
    first.socket.close();
  });

  it("to a session too many, over all workers, until one ends", async () => {
    const pool = await poolWith({ flags: { "live-sessions": 2 } });
    const clients = [new LiveClient(pool.url), new LiveClient(pool.url)];
    for (const client of clients) await client.setUp();
    const third = new LiveClient(pool.url);
    expect(await third.refused).toMatchObject({ status: 503, retryAfter: "1" });
    clients[0]?.socket.close();
    await pool.requestLogged(({ outcome }) => outcome === "served");
    const fourth = new LiveClient(pool.url);
    await fourth.setUp();
    for (const { socket } of [clients[1], fourth].flatMap((client) => client ?? [])) socket.close();
    await pool.endsInBalance();
  });
});

it("serves what asks for another protocol or another path as if it had not asked", async () => {
  const pool = await poolWith();
  const h2c = "GET /healthz HTTP/1.1\r\nHost: g\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
  expect((await exchangeRaw(pool.gateway.port, h2c)).status).toBe(200);
  expect((await exchangeRaw(pool.gateway.port, handshake("/healthz"))).status).toBe(200);
  expect((await exchangeRaw(pool.gateway.port, handshake("/ws/nothing"))).status).toBe(404);
  const plain = await exchangeRaw(pool.gateway.port, `GET ${LIVE_PATH} HTTP/1.1\r\nHost: g\r\n\r\n`);
  expect(plain.status).toBe(404);
});

it("lets a session in on a connection that has served requests, with its first messages behind the handshake", async () => {
  const pool = await poolWith();
  using client = await RawClient.open(pool.gateway.port, "GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n");
  expect((await client.answer()).status).toBe(200);
  const setup = Buffer.from(JSON.stringify({ setup: { model: LIVE_MODEL } }));
  // A text frame with a mask of zeros.
  const frame = Buffer.concat([Buffer.from([0x81, 0x80 | setup.length, 0, 0, 0, 0]), setup]);
  client.write(Buffer.concat([Buffer.from(handshake(`/${LIVE_PATH}`)), frame]));
  await client.hears("101 Switching Protocols");
  await client.hears("setupComplete");
});

describe("closes with a reason", () => {
  async function endOf(client: LiveClient, first: string): Promise<unknown> {
    await client.opened;
    client.socket.send(first);
    return client.ended;
  }

  it("what begins with no setup, and what does not begin", async () => {
    const pool = await poolWith({ flags: { "live-setup": "200ms" } });
    const reason = "The first message of a Live session must be its setup.";
    for (const first of ["nonsense", '{"clientContent":{}}']) {
      expect(await endOf(new LiveClient(pool.url), first)).toEqual({ code: 1007, reason });
    }
    const silent = new LiveClient(pool.url);
    expect(await silent.ended).toEqual({ code: 1011, reason: "No setup arrived in time." });
    expect(pool.emulator.calls.recent()).toEqual([]);
    await pool.endsInBalance();
  });

  it("a model that the named client may not use, and a client with as many sessions as it may", async () => {
    const pool = await poolWith();
    const secret = await addClient(pool, "app", { models: ["gemini-live-*"], limits: { concurrency: 1 } });
    await pool.restart();
    const headers = { "x-goog-api-key": secret };
    const denied = new LiveClient(pool.url, LIVE_PATH, headers);
    const setup = JSON.stringify({ setup: { model: "models/gemini-2.5-flash" } });
    expect(await endOf(denied, setup)).toEqual({
      code: 1008,
      reason: "This auth key may not use this model.",
    });
    await pool.requestLogged(REFUSED);
    const allowed = new LiveClient(pool.url, LIVE_PATH, headers);
    await allowed.setUp();
    const second = new LiveClient(pool.url, LIVE_PATH, headers);
    expect((await second.refused).status).toBe(429);
    allowed.socket.close();
    expect((await pool.requestLogged(({ outcome }) => outcome === "served")).client).toBe("app");
  });

  it("a message larger than allowed, of either side", async () => {
    const upstream = stack.use(
      await startLiveUpstream(afterSetup((socket) => socket.send("x".repeat(3_000)))),
    );
    const pool = await poolWith({ upstream: upstream.url, flags: { "live-message": "2KB" } });
    const sender = new LiveClient(pool.url);
    await sender.setUp();
    sender.socket.send("x".repeat(3_000));
    expect((await sender.ended).code).toBe(1009);
    const receiver = new LiveClient(pool.url);
    await receiver.setUp();
    receiver.socket.send("go");
    expect((await receiver.ended).code).toBe(1011);
    await expect.poll(() => upstream.open).toBe(0);
    await pool.endsInBalance();
  });

  it("a session in which nobody says anything", async () => {
    const pool = await poolWith({ flags: { "live-idle": "1s", "live-ping": "100ms" } });
    const client = new LiveClient(pool.url);
    await client.setUp();
    expect(await client.ended).toEqual({ code: 1001, reason: "The session was silent for too long." });
    expect(await pool.requestLogged()).toMatchObject({ outcome: "served", reason: "idle" });
    await pool.emulator.waitUntil(({ live }) => live.sessions === 0);
    await pool.endsInBalance();
  });
});

describe("asks by pings who lives", () => {
  it("and keeps a client that is silent, while it cuts off one that is gone", async () => {
    const pool = await poolWith({ flags: { "live-ping": "100ms" } });
    const living = new LiveClient(pool.url);
    await living.setUp();
    let pings = 0;
    living.socket.on("ping", () => (pings += 1));
    const dead = new LiveClient(pool.url);
    await dead.setUp();
    // It reads nothing more, and so answers nothing.
    dead.socket.pause();
    expect(await pool.requestLogged(({ outcome }) => outcome === "caller-left")).toMatchObject({
      reason: "dead",
    });
    await pool.emulator.waitUntil(({ live }) => live.sessions === 1);
    await expect.poll(() => pings).toBeGreaterThan(4);
    expect(await living.say("hello")).toContain("Hello");
    living.socket.close();
    dead.socket.terminate();
  });

  it("and notices an upstream that is gone", async () => {
    const upstream = stack.use(await startLiveUpstream(afterSetup((socket) => socket.pause())));
    const pool = await poolWith({ upstream: upstream.url, flags: { "live-ping": "100ms" } });
    const client = new LiveClient(pool.url);
    await client.setUp();
    client.socket.send("go away");
    expect((await client.ended).code).toBe(1011);
    expect((await pool.requestLogged()).outcome).toBe("broken");
    await pool.endsInBalance();
  });
});
