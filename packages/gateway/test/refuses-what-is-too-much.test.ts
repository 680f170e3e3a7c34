import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPool, type Pool } from "./harness/pool.ts";
import { exchangeRaw, RawClient } from "./harness/raw-client.ts";
import { chunkOf, headOf, LAST_CHUNK, startRawUpstream } from "./harness/raw-upstream.ts";
import { ask, askStream, MODEL, promptBody } from "./harness/requests.ts";

const PATH = `/v1beta/models/${MODEL}:generateContent`;
const POST = `POST ${PATH} HTTP/1.1\r\nHost: g\r\n`;

describe("a body over limits.body", () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await startPool({ flags: { workers: 1, "limits-body": "100KB" } });
  });
  afterAll(() => pool[Symbol.asyncDispose]());

  it("is refused by its declared length, in the client's dialect, and the connection goes on", async () => {
    using client = await RawClient.open(pool.gateway.port);
    const body = promptBody("x".repeat(150_000));
    for (const [path, shape] of [
      [PATH, { error: { code: 413 } }],
      ["/v1beta/openai/chat/completions", [{ error: { code: 413 } }]],
    ] as const) {
      client.write(`POST ${path} HTTP/1.1\r\nHost: g\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      const answer = await client.answer();
      expect(answer.status).toBe(413);
      expect(JSON.parse(answer.body.toString())).toMatchObject(shape);
    }
    client.write(`GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n`);
    expect((await client.answer()).status).toBe(200);
    expect(pool.emulator.calls.total).toBe(0);
    const refused = { status: 413, outcome: "refused", attempts: 0, model: MODEL };
    expect(await pool.requestLogged()).toMatchObject(refused);
  });

  it("is refused as soon as its chunks are too many", async () => {
    using client = await RawClient.open(pool.gateway.port, `${POST}Transfer-Encoding: chunked\r\n\r\n`);
    for (let sent = 0; sent < 11; sent += 1) client.write(chunkOf(Buffer.alloc(10_240, "x")));
    expect((await client.answer()).status).toBe(413);
    client.write(LAST_CHUNK);
    expect(pool.emulator.calls.total).toBe(0);
  });

  it("is not read to its end when there is no end in sight", async () => {
    using client = await RawClient.open(pool.gateway.port, `${POST}Content-Length: 99999999999\r\n\r\n`);
    expect((await client.answer()).status).toBe(413);
    const piece = Buffer.alloc(1_048_576);
    const send = (): void => {
      while (!client.socket.destroyed && client.socket.write(piece));
    };
    client.socket.on("drain", send);
    send();
    await client.reset();
    expect(client.socket.bytesWritten).toBeLessThan(64 * 1_048_576);
  });
});

it("100 MB pass, whole, and their memory is given back", async () => {
  let received = 0;
  await using upstream = await startRawUpstream(
    ({ socket, request }) => {
      received = 0;
      request.on("data", (chunk: Buffer) => {
        received += chunk.length;
      });
      request.on("end", () => socket.write(`${headOf(200, ["content-type: application/json"], 2)}{}`));
    },
    { beforeBody: true },
  );
  await using pool = await startPool({
    upstream: upstream.url,
    flags: { workers: 1, "limits-body-memory": "110MB" },
  });
  const bytes = 100 * 1024 * 1024;
  for (let round = 0; round < 2; round += 1) {
    using client = await RawClient.open(
      pool.gateway.port,
      `POST /v1beta/models/${MODEL}:countTokens HTTP/1.1\r\nHost: g\r\n`,
    );
    client.write(`Content-Length: ${bytes}\r\n\r\n`);
    client.write(Buffer.alloc(bytes, "x"));
    expect((await client.answer()).status).toBe(200);
    expect(received).toBe(bytes);
  }
});

it("bodies beyond limits.bodyMemory are refused with a moment to come back; the next one finds room", async () => {
  await using pool = await startPool({
    flags: { workers: 2, "limits-body": "1MB", "limits-body-memory": "1MB" },
    script: [
      {
        match: { operation: "generateContent" },
        times: 1,
        fault: { kind: "slow-first-byte", untilReleased: true },
      },
    ],
  });
  const large = promptBody("x".repeat(900_000));
  const first = ask(pool.url, { body: large });
  await pool.emulator.waitForCall(({ phase }) => phase === "held");
  const second = await ask(pool.url, { body: large });
  expect(second.status).toBe(503);
  expect(second.headers.get("retry-after")).toBe("1");
  expect(await second.json()).toMatchObject({
    error: { status: "UNAVAILABLE", details: [{ retryDelay: "1s" }] },
  });
  // In chunks it is found out on the way.
  const head = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
  const third = await exchangeRaw(
    pool.gateway.port,
    Buffer.concat([Buffer.from(head), chunkOf(Buffer.from(large)), Buffer.from(LAST_CHUNK)]),
  );
  expect(third.status).toBe(503);
  pool.emulator.release();
  expect((await first).status).toBe(200);
  expect((await ask(pool.url, { body: large })).status).toBe(200);
});

it("requests beyond limits.requests are refused over all workers with a moment to come back", async () => {
  await using pool = await startPool({ flags: { workers: 2, "limits-requests": 2 } });
  const undo = pool.emulator.fault({ fault: { kind: "stall", afterEvents: 1 } });
  const open = await Promise.all([askStream(pool.url), askStream(pool.url)]);
  for (let round = 0; round < 6; round += 1) {
    const refused = await ask(pool.url);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toMatchObject({ error: { code: 503, status: "UNAVAILABLE" } });
  }
  undo();
  for (const response of open) expect(await response.text()).toContain("finishReason");
  expect((await ask(pool.url)).status).toBe(200);
});

it("connections beyond limits.connections are closed unheard, and accepted again when others leave", async () => {
  await using pool = await startPool({ flags: { workers: 1, "limits-connections": 3 } });
  const health = "GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n";
  const clients = await Promise.all([1, 2, 3].map(() => RawClient.open(pool.gateway.port, health)));
  for (const client of clients) expect((await client.answer()).status).toBe(200);
  using surplus = await RawClient.open(pool.gateway.port);
  await surplus.closed();
  clients[0]?.socket.end();
  await clients[0]?.closed();
  expect((await exchangeRaw(pool.gateway.port, health)).status).toBe(200);
  for (const client of clients) client[Symbol.dispose]();
});

describe("a client that takes its time to send", () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await startPool({
      flags: { workers: 1, "timeouts-client-headers": "1s", "timeouts-client-body": "1s" },
    });
  });
  afterAll(() => pool[Symbol.asyncDispose]());

  it.concurrent.each([
    ["nothing at all", ""],
    ["half a head", POST],
    ["a head and half a body", `${POST}Content-Length: 100\r\n\r\n{"contents":`],
    ["a chunk and no other", `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`],
  ])("is told so and let go: %s", async (_what, bytes) => {
    using client = await RawClient.open(pool.gateway.port, bytes);
    const answer = await client.answer();
    expect(answer.status).toBe(408);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      error: { code: 408, status: "DEADLINE_EXCEEDED" },
    });
    expect(answer.header("x-request-id")).toMatch(/./);
    await client.closed();
    expect(pool.emulator.calls.total).toBe(0);
  });

  it("is logged when it had begun to ask", async () => {
    expect(await pool.requestLogged()).toMatchObject({ status: 408, outcome: "refused", attempts: 0 });
  });
});
