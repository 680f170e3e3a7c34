import { afterEach, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { afterSetup, LiveClient, startLiveUpstream } from "./harness/live.ts";
import { startPool } from "./harness/pool.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const MEBIBYTE = 1_048_576;
/** What is offered: far more than buffers of kernel and gateway hold on the way. */
const PIECES = 256;
/** What the kernel may hold on two connections, and what the gateway may. */
const TAKEN_BYTES_MAX = 40 * MEBIBYTE;

/** Sends numbered pieces of 1 MiB as fast as they are taken; counts the bytes taken. */
class Flood {
  readonly #socket: WebSocket;
  readonly done: Promise<void>;
  taken = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.done = this.#send();
  }

  async #send(): Promise<void> {
    for (let piece = 0; piece < PIECES; piece += 1) {
      const data = Buffer.alloc(MEBIBYTE, piece);
      const error = await new Promise<unknown>((resolve) => this.#socket.send(data, resolve));
      if (error !== undefined && error !== null) return;
      this.taken += data.length;
    }
  }
}

/** Resolves when the bytes taken have stopped growing. */
async function standsStill(flood: Flood): Promise<void> {
  let before = -1;
  await expect
    .poll(
      () => {
        const stands = flood.taken === before && flood.taken > 0;
        before = flood.taken;
        return stands;
      },
      { interval: 300, timeout: 15_000 },
    )
    .toBe(true);
}

/** Counts what comes and looks that it is in order. */
function countPieces(socket: WebSocket): { readonly pieces: number } {
  const count = { pieces: 0 };
  socket.on("message", (data: Buffer) => {
    expect([data.length, data[0]]).toEqual([MEBIBYTE, count.pieces % 256]);
    count.pieces += 1;
  });
  return count;
}

it("of which the client reads nothing, and goes on in order when it reads", { timeout: 60_000 }, async () => {
  let flood: Flood | undefined;
  const upstream = stack.use(
    await startLiveUpstream(
      afterSetup((socket) => {
        flood = new Flood(socket);
      }),
    ),
  );
  const pool = stack.use(await startPool({ upstream: upstream.url, flags: { workers: 1 } }));
  const client = new LiveClient(pool.url);
  await client.setUp();
  const memoryBefore = process.memoryUsage.rss();
  client.socket.send("go");
  client.socket.pause();
  await expect.poll(() => flood).toBeDefined();
  const running = flood as unknown as Flood;
  await standsStill(running);
  expect(running.taken).toBeLessThan(TAKEN_BYTES_MAX);
  // All threads of the gateway are in this process.
  expect(process.memoryUsage.rss() - memoryBefore).toBeLessThan(3 * TAKEN_BYTES_MAX);
  const count = countPieces(client.socket);
  client.socket.resume();
  await running.done;
  await expect.poll(() => count.pieces, { timeout: 20_000 }).toBe(PIECES);
  client.socket.close();
  await pool.endsInBalance();
});

it("of which the upstream reads nothing", { timeout: 60_000 }, async () => {
  let other: WebSocket | undefined;
  const upstream = stack.use(
    await startLiveUpstream(
      afterSetup((socket) => {
        if (other !== undefined) return;
        other = socket;
        socket.pause();
      }),
    ),
  );
  const pool = stack.use(await startPool({ upstream: upstream.url, flags: { workers: 1 } }));
  const client = new LiveClient(pool.url);
  await client.setUp();
  client.socket.send("stop reading");
  await expect.poll(() => other).toBeDefined();
  const flood = new Flood(client.socket);
  await standsStill(flood);
  expect(flood.taken).toBeLessThan(TAKEN_BYTES_MAX);
  const held = other as unknown as WebSocket;
  const count = countPieces(held);
  held.resume();
  await flood.done;
  await expect.poll(() => count.pieces, { timeout: 20_000 }).toBe(PIECES);
  client.socket.close();
  await pool.endsInBalance();
});

it("and a client that takes nothing for too long is cut off", { timeout: 60_000 }, async () => {
  const upstream = stack.use(
    await startLiveUpstream(
      afterSetup((socket) => {
        void new Flood(socket).done;
      }),
    ),
  );
  const flags = { workers: 1, "timeouts-client-stall": "1s" };
  const pool = stack.use(await startPool({ upstream: upstream.url, flags }));
  const client = new LiveClient(pool.url);
  await client.setUp();
  client.socket.send("go");
  client.socket.pause();
  expect(await pool.requestLogged()).toMatchObject({ outcome: "caller-left", reason: "stalled" });
  await expect.poll(() => upstream.open).toBe(0);
  await pool.endsInBalance();
});
