/** What is larger than memory passes through it: 2 GB up and back, the process of the gateway growing by less than 64 MB. */
import { startEmulator } from "gemini-emulator";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect, it } from "vitest";
import { startProgram } from "./harness/program.ts";
import { beginUpload } from "./harness/uploads.ts";

const BYTES = 2_000_000_000;
const PIECE = Buffer.alloc(1_000_000, "a piece of a large file; ");
const ADDED_BYTES_MAX = 64 * 1024 * 1024;
const TIMEOUT_MS = 900_000;

/** Of known length all of it, in chunks a part that would be seen as well. */
const UPLOADS = [
  { bytes: BYTES, framing: { "content-length": String(BYTES) } },
  { bytes: BYTES / 4, framing: { "transfer-encoding": "chunked" } },
];

/** Pieces until there are so many bytes. */
function largeFile(bytes: number): Readable {
  let left = bytes;
  return new Readable({
    read() {
      const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
      left -= piece.length;
      this.push(piece.length === 0 ? null : piece);
    },
  });
}

/** Memory of a process that is really in use, bytes: now, and at most so far. */
async function memoryOf(pid: number | undefined): Promise<{ readonly now: number; readonly most: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kibibytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]);
  return { now: kibibytes("VmRSS") * 1024, most: kibibytes("VmHWM") * 1024 };
}

const isLinux = process.platform === "linux";

it.runIf(isLinux)("on their way up, sized and in chunks", { timeout: TIMEOUT_MS }, async () => {
  await using emulator = await startEmulator({ projects: [{ name: "alpha", keys: ["test-key-1"] }] });
  await using program = await startProgram(emulator.url, { flags: ["--probe", "off"] });
  for (const { bytes, framing } of UPLOADS) {
    const { url } = await beginUpload(program.url, bytes);
    const before = await memoryOf(program.process.pid);
    const sending = request(url, {
      method: "POST",
      headers: { ...framing, "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" },
    });
    const answered = once(sending, "response") as Promise<[IncomingMessage]>;
    await pipeline(largeFile(bytes), sending);
    const [answer] = await answered;
    const text = (await answer.toArray()).join("");
    expect(text).toContain(`"sizeBytes": "${bytes}"`);
    const after = await memoryOf(program.process.pid);
    expect(after.most - before.now).toBeLessThan(ADDED_BYTES_MAX);
  }
});

it.runIf(isLinux)("on their way down, behind a redirect", { timeout: TIMEOUT_MS }, async () => {
  const store = createServer((_, response) => {
    response.writeHead(200, { "content-length": String(BYTES) });
    void pipeline(largeFile(BYTES), response);
  });
  store.listen(0, "127.0.0.1");
  await once(store, "listening");
  const storeUrl = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
  const upstream = createServer((_, response) => void response.writeHead(302, { location: storeUrl }).end());
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  await using program = await startProgram(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`, {
    flags: ["--probe", "off"],
  });
  const before = await memoryOf(program.process.pid);
  const asking = request(`${program.url}/v1beta/files/x:download?alt=media`).end();
  const [answer] = (await once(asking, "response")) as [IncomingMessage];
  let bytes = 0;
  const counting = new Writable({
    write: (chunk: Buffer, _, done) => {
      bytes += chunk.length;
      done();
    },
  });
  await pipeline(answer, counting);
  const after = await memoryOf(program.process.pid);
  expect(bytes).toBe(BYTES);
  expect(after.most - before.now).toBeLessThan(ADDED_BYTES_MAX);
  store.close();
  upstream.close();
});
