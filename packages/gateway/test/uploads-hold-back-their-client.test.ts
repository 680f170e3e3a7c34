/** Who sends faster than the upstream takes is held back, and everything arrives in its order all the same. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { expect, it } from "vitest";
import { startPool } from "./harness/pool.ts";

const MEBIBYTE = 1024 * 1024;
const BYTES = 64 * MEBIBYTE;
/** What sockets and the gateway may hold of it: those of the client and the upstream, in and out. */
const HELD_BYTES_MAX = 24 * MEBIBYTE;

/** Different bytes everywhere, so that no piece can stand in for another. */
function pieceAt(index: number): Buffer {
  return Buffer.alloc(MEBIBYTE, `${index}:`);
}

it.each(["content-length", "transfer-encoding"])("with %s", async (framing) => {
  const begun = Promise.withResolvers<{ request: IncomingMessage; response: ServerResponse }>();
  await using upstream = createServer((incoming, response) => begun.resolve({ request: incoming, response }));
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  await using pool = await startPool({ upstream: url, flags: { "limits-body": "1MB" } });
  const headers = { [framing]: framing === "content-length" ? String(BYTES) : "chunked" };
  const sending = request(`${pool.url}/upload/v1beta/files`, { method: "POST", headers });
  const sent = createHash("sha256");
  const answered = once(sending, "response") as Promise<[IncomingMessage]>;
  const [socket] = (await once(
    sending.on("error", () => {}),
    "socket",
  )) as [Socket];
  for (let index = 0; index < BYTES / MEBIBYTE; index += 1) {
    sent.update(pieceAt(index));
    sending.write(pieceAt(index));
  }
  sending.end();
  // The upstream has the head and reads nothing: the client's socket comes to a stop.
  const upload = await begun.promise;
  let before = -1;
  await expect
    .poll(
      () => {
        const stands = socket.bytesWritten - socket.writableLength;
        const hasStopped = stands === before;
        before = stands;
        return hasStopped;
      },
      { interval: 500, timeout: 15_000 },
    )
    .toBe(true);
  expect(before).toBeLessThan(HELD_BYTES_MAX);
  const received = createHash("sha256");
  for await (const chunk of upload.request) received.update(chunk as Buffer);
  expect(received.digest("hex")).toBe(sent.digest("hex"));
  upload.response.end("{}");
  const [answer] = await answered;
  expect(answer.statusCode).toBe(200);
  answer.resume();
  await pool.endsInBalance();
});
