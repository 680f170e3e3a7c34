import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { startEmulator } from "../src/emulator.ts";
import { eventsOf, post, rawPost, saying, SSE } from "./client.ts";

describe("holds thousands of streams", () => {
  it("keeps 1,000 open at once, each with its own text, and ends them together", async () => {
    await using emulator = await startEmulator();
    emulator.fault({ fault: { kind: "stall", afterEvents: 1 } });
    const streams = Array.from({ length: 1000 }, (_, index) =>
      rawPost(emulator, SSE, saying(`number ${index}.`)),
    );
    await emulator.waitUntil(({ openStreams }) => openStreams === 1000);
    await emulator.waitUntil(({ calls }) => calls.recent().every((call) => call.phase === "held"));
    emulator.clearFaults();
    const answers = await Promise.all(streams.map((stream) => stream.closed));
    await emulator.waitUntil(({ openStreams }) => openStreams === 0);
    for (const [index, { text }] of answers.entries()) {
      const spoken = [...text.matchAll(/"text": "((?:[^"\\]|\\.)*)"/g)].map(([, piece]) => piece).join("");
      expect(spoken).toBe(`Hello from project alpha: you said \\"number ${index}.\\"`);
    }
  });

  it("paces a stream and aborts it when the client leaves", async () => {
    await using emulator = await startEmulator();
    const { socket } = rawPost(emulator, SSE, saying("stream 1000 events every 10 ms"));
    await emulator.waitForCall((call) => call.events >= 3);
    socket.destroy();
    const call = await emulator.waitForCall(({ phase }) => phase === "done");
    expect(call.aborted).toBe(true);
    expect(call.events).toBeLessThan(1000);
  });

  it("keeps the pace that was asked for", async () => {
    await using emulator = await startEmulator();
    const startedMs = performance.now();
    const text = await (await post(emulator, SSE, saying("stream 6 events every 20 ms"))).text();
    expect(eventsOf(text)).toHaveLength(6);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(5 * 20 - 6);
  });

  it("stops writing when the client stops reading, and goes on when it reads again", async () => {
    await using emulator = await startEmulator();
    const text = JSON.stringify(saying("stream 2000 events of 65536 bytes"));
    const socket = connect(emulator.port, "127.0.0.1");
    socket.pause();
    socket.write(
      `POST ${SSE} HTTP/1.1\r\nhost: e\r\nconnection: close\r\nx-goog-api-key: test-key-1\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
    );
    const call = await emulator.waitForCall(({ events }) => events > 0);
    const stuckAt = await quietCount(() => call.events);
    expect(stuckAt).toBeLessThan(2000);
    expect(emulator.openStreams).toBe(1);
    await drained(socket);
    expect(call).toMatchObject({ events: 2000 });
  });
});

/** The count once it no longer grows over fifty turns of the event loop. */
async function quietCount(read: () => number): Promise<number> {
  let last = -1;
  let quietTurns = 0;
  while (quietTurns < 50) {
    quietTurns = read() === last ? quietTurns + 1 : 0;
    last = read();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return last;
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on("close", () => resolve());
    socket.resume();
  });
}
