import { afterAll, beforeAll, expect, it } from "vitest";
import { startPool, type Pool } from "./harness/pool.ts";
import { exchangeRaw, RawClient } from "./harness/raw-client.ts";
import { headOf, startRawUpstream, type RawUpstream, type UpstreamCall } from "./harness/raw-upstream.ts";
import { ask } from "./harness/requests.ts";

const MEBIBYTE = 1_048_576;
/** What the kernel may hold of one answer on its two connections, and what the gateway may: far below what is offered. */
const TAKEN_BYTES_MAX = 40 * MEBIBYTE;
/** Of an answer that is no stream, and so is kept whole as far as `limits.peek` goes. */
const WHOLE_REQUEST = "GET /v1beta/files/abc HTTP/1.1\r\nHost: g\r\n\r\n";
const REQUEST = "GET /download/v1beta/files/abc:download?alt=media HTTP/1.1\r\nHost: g\r\n\r\n";
const PIECE = Buffer.alloc(MEBIBYTE, "0123456789abcde\n");

/** Sends a body of `pieces` MiB as fast as it is taken; resolves with the bytes taken when it ends or breaks off. */
async function offer({ socket, closed }: UpstreamCall, pieces: number): Promise<number> {
  socket.write(headOf(200, ["content-type: application/octet-stream"], pieces * PIECE.length));
  for (let piece = 0; piece < pieces && !socket.destroyed; piece += 1) {
    if (!socket.write(PIECE))
      await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed]);
  }
  return socket.bytesWritten - socket.writableLength;
}

let taken: Promise<number> = Promise.resolve(0);
let offered = 0;
let upstream: RawUpstream;
let pool: Pool;
beforeAll(async () => {
  upstream = await startRawUpstream((call) => {
    taken = offer(call, offered);
  });
  pool = await startPool({ upstream: upstream.url, flags: { workers: 1, "timeouts-client-stall": "1s" } });
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

it("takes no more than buffers hold for a client that reads nothing, and cuts it off at last", async () => {
  offered = 512;
  const called = upstream.call(upstream.calls.length);
  using client = await RawClient.open(pool.gateway.port);
  client.socket.pause();
  client.write(REQUEST);
  const call = await called;
  await call.closed;
  expect(await taken).toBeLessThan(TAKEN_BYTES_MAX);
  const row = await pool.requestLogged(({ path }) => path.includes("download"));
  expect(row).toMatchObject({ outcome: "caller-left", status: 499 });
  expect(row.bytesOut).toBeLessThan(TAKEN_BYTES_MAX);
});

it("serves others meanwhile, and goes on where it stopped when the client reads again", async () => {
  offered = 64;
  using client = await RawClient.open(pool.gateway.port);
  client.socket.pause();
  client.write(REQUEST);
  for (let round = 0; round < 20; round += 1) {
    const health = await exchangeRaw(pool.gateway.port, "GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n");
    expect(health.status).toBe(200);
  }
  client.socket.resume();
  const { body } = await client.answer();
  expect(body.length).toBe(64 * MEBIBYTE);
  for (let piece = 0; piece < 64; piece += 1) {
    expect(body.subarray(piece * MEBIBYTE, (piece + 1) * MEBIBYTE).equals(PIECE)).toBe(true);
  }
});

it("does not take waiting for the upstream for the client's fault", async () => {
  await using patient = await startPool({ flags: { workers: 1, "timeouts-client-stall": "1s" } });
  patient.emulator.fault({ fault: { kind: "slow-first-byte", delayMs: 2500 } });
  const response = await ask(patient.url);
  expect(response.status).toBe(200);
  expect(await response.text()).toContain("Hello from project");
});

it("gets its last bytes also when the gateway stops meanwhile", async () => {
  offered = 14;
  // Kept whole, the answer is handed to the connection at once: most of it still waits when the gateway drains.
  await using stopping = await startPool({
    upstream: upstream.url,
    flags: { workers: 1, "limits-peek": "16MB" },
  });
  using client = await RawClient.open(stopping.gateway.port);
  client.socket.pause();
  client.write(WHOLE_REQUEST);
  await stopping.requestLogged();
  const stopped = stopping.gateway.stop();
  // A round trip to the worker, so that it has begun to drain.
  const late = await RawClient.open(stopping.gateway.port).catch(() => undefined);
  late?.[Symbol.dispose]();
  client.socket.resume();
  const { body } = await client.answer();
  expect(body.length).toBe(14 * MEBIBYTE);
  expect(await stopped).toBe("drained");
});
