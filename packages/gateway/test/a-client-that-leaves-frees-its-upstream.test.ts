import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPool, type Pool } from "./harness/pool.ts";
import { exchangeRaw, RawClient } from "./harness/raw-client.ts";
import {
  chunkOf,
  headOf,
  startRawUpstream,
  type RawUpstream,
  type UpstreamCall,
} from "./harness/raw-upstream.ts";
import { MODEL, promptBody } from "./harness/requests.ts";

const EVENT = `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: "x" }] } }] })}\r\n\r\n`;
const STREAM_HEAD = headOf(200, ["content-type: text/event-stream", "transfer-encoding: chunked"]);

function streamRequest(body = promptBody()): string {
  const path = `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`;
  return `POST ${path} HTTP/1.1\r\nHost: g\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

describe("its upstream is aborted at once", () => {
  let answer: (call: UpstreamCall) => void = () => undefined;
  let upstream: RawUpstream;
  let pool: Pool;
  beforeAll(async () => {
    upstream = await startRawUpstream((call) => answer(call), { beforeBody: true });
    pool = await startPool({ upstream: upstream.url, flags: { workers: 1 } });
  });
  afterAll(async () => {
    await pool[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  const nextCall = (): Promise<UpstreamCall> => upstream.call(upstream.calls.length);

  it("before the first byte of an answer", async () => {
    answer = () => undefined;
    const called = nextCall();
    using client = await RawClient.open(pool.gateway.port, streamRequest());
    const call = await called;
    client.socket.destroy();
    await expect(call.closed).resolves.toBeUndefined();
  });

  it("in the middle of a stream", async () => {
    answer = ({ socket }) =>
      void socket.write(Buffer.concat([Buffer.from(STREAM_HEAD), chunkOf(Buffer.from(EVENT))]));
    const called = nextCall();
    using client = await RawClient.open(pool.gateway.port, streamRequest());
    await client.hears("data: ");
    client.socket.destroy();
    const { closed } = await called;
    await expect(closed).resolves.toBeUndefined();
    expect(await pool.requestLogged(({ bytesOut }) => bytesOut > 0)).toMatchObject({
      outcome: "caller-left",
    });
  });

  it("also when it only says that it will send no more, as a closing browser does", async () => {
    answer = ({ socket }) =>
      void socket.write(Buffer.concat([Buffer.from(STREAM_HEAD), chunkOf(Buffer.from(EVENT))]));
    const called = nextCall();
    using client = await RawClient.open(pool.gateway.port, streamRequest());
    await client.hears("data: ");
    client.socket.end();
    const { closed } = await called;
    await expect(closed).resolves.toBeUndefined();
  });

  it("while a large body is on its way up", async () => {
    answer = ({ request }) => void request.pause();
    const called = nextCall();
    using client = await RawClient.open(pool.gateway.port, streamRequest(promptBody("x".repeat(20_000_000))));
    const call = await called;
    client.socket.destroy();
    await pool.requestLogged(({ bytesIn, outcome }) => bytesIn > 20_000_000 && outcome === "caller-left");
    let arrived = 0;
    call.request.on("data", (chunk: Buffer) => {
      arrived += chunk.length;
    });
    call.request.resume();
    await expect(call.closed).resolves.toBeUndefined();
    expect(arrived).toBeLessThan(20_000_000);
  });

  it("for every request it had pipelined", async () => {
    answer = () => undefined;
    const index = upstream.calls.length;
    using client = await RawClient.open(
      pool.gateway.port,
      streamRequest() + streamRequest() + streamRequest(),
    );
    const calls = await Promise.all([0, 1, 2].map((offset) => upstream.call(index + offset)));
    client.socket.destroy();
    await expect(Promise.all(calls.map(({ closed }) => closed))).resolves.toHaveLength(3);
  });
});

it("no longer waits for a key, and none is asked for it", async () => {
  await using pool = await startPool({
    projects: [{ name: "only", keys: ["test-key-1"] }],
    script: [{ fault: { kind: "error", error: "quota-minute", retryDelaySeconds: 20 } }],
    flags: { workers: 1, "lease-max-wait": "60s" },
  });
  expect((await exchangeRaw(pool.gateway.port, streamRequest())).status).toBe(429);
  pool.emulator.clearFaults();
  using client = await RawClient.open(pool.gateway.port, streamRequest());
  // The worker answers this after it has read the other.
  await exchangeRaw(pool.gateway.port, "GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n");
  client.socket.destroy();
  const row = await pool.requestLogged(({ outcome }) => outcome === "caller-left");
  expect(row).toMatchObject({ status: 499, attempts: 0 });
  expect(pool.emulator.calls.total).toBe(1);
});

it("in the middle of its body costs no key, and its memory is given back", async () => {
  await using pool = await startPool({
    flags: { workers: 1, "limits-body": "1MB", "limits-body-memory": "1MB" },
  });
  const post = `POST /v1beta/models/${MODEL}:generateContent HTTP/1.1\r\nHost: g\r\n`;
  for (let round = 0; round < 3; round += 1) {
    using client = await RawClient.open(pool.gateway.port, `${post}Content-Length: 900000\r\n\r\n`);
    client.socket.end("x".repeat(800_000 + round));
    const row = await pool.requestLogged(({ bytesIn }) => bytesIn === 800_000 + round);
    expect(row).toMatchObject({ status: 408, outcome: "refused", attempts: 0 });
  }
  expect(pool.emulator.calls.total).toBe(0);
  const body = promptBody("x".repeat(900_000));
  const answer = await exchangeRaw(pool.gateway.port, `${post}Content-Length: ${body.length}\r\n\r\n${body}`);
  expect(answer.status).toBe(200);
});
