/** The thread that served one leg of an upload dies: the next legs go on with it, and the file is whole. */
import { once } from "node:events";
import { request, type ClientRequest } from "node:http";
import { expect, it } from "vitest";
import { fiveProjects, poolOfTest } from "./harness/five-projects.ts";
import type { Pool } from "./harness/pool.ts";
import { beginUpload, leg, receivedOf } from "./harness/uploads.ts";

const PROJECTS = fiveProjects(1);
const POLL = { timeout: 10_000, interval: 20 };
const CHUNK_BYTES = 256 * 1024;
/** Different bytes everywhere, so that no piece can stand in for another: two chunks, and some more. */
const FILE = Buffer.from(Uint32Array.from({ length: CHUNK_BYTES / 2 + 1_000 }, (_, index) => index).buffer);
const ARRIVED = CHUNK_BYTES + 100_001;

/** Ends the threads that serve something now, or all; resolves when another listens in the place of each. */
async function killWorkers({ gateway: { supervisor } }: Pool, which: "busy" | "all"): Promise<void> {
  const views = supervisor.views(Date.now());
  const victims = views.filter(({ activeRequests }) => which === "all" || activeRequests > 0);
  expect(victims).toHaveLength(1);
  for (const { holder } of victims) await supervisor.kill(holder);
  await expect
    .poll(() => supervisor.views(Date.now()).filter(({ listening }) => listening).length, POLL)
    .toBe(views.length);
  expect(supervisor.views(Date.now()).map(({ holder }) => holder)).not.toContain(victims[0]?.holder);
}

/** Where the same upload is at Google's: whoever asks there hears how far it is without a word to the gateway. */
function beyondGateway({ emulator }: Pool, url: string): string {
  const { pathname, search } = new URL(url);
  return emulator.uploadOrigin + pathname + search;
}

async function fileOf(pool: Pool, answer: Response): Promise<void> {
  expect(answer.status).toBe(200);
  const { file } = (await answer.json()) as { file: { name: string; sizeBytes: string } };
  expect(file.sizeBytes).toBe(String(FILE.length));
  const content = await fetch(`${pool.url}/v1beta/${file.name}:download?alt=media`);
  expect(Buffer.from(await content.arrayBuffer()).equals(FILE)).toBe(true);
}

/** Nothing went to a project that has not got the upload, and no use is left behind. */
async function endsWell(pool: Pool): Promise<void> {
  expect(pool.emulator.calls.foreignHits).toBe(0);
  const { gateway } = pool;
  expect(await gateway.stop()).toBe("drained");
  gateway.scheduler.checkInvariants();
  expect(gateway.scheduler.inFlight).toBe(0);
}

/** Some of a leg's body; the rest is not sent before the test says so. */
function beginLeg(url: string, offset: number, part: Buffer): ClientRequest {
  const sending = request(url, {
    method: "POST",
    headers: {
      "x-goog-upload-command": "upload, finalize",
      "x-goog-upload-offset": String(offset),
      "content-length": String(FILE.length - offset),
    },
  });
  sending.write(part);
  return sending;
}

it("between its legs: chunk, query and end come each to a thread that never heard of it", async () => {
  const pool = await poolOfTest({ projects: PROJECTS, flags: { workers: 1 } });
  const { url } = await beginUpload(pool.url, FILE.length);
  await killWorkers(pool, "all");
  const chunk = await leg(url, "upload", { offset: 0, body: FILE.subarray(0, CHUNK_BYTES) });
  expect(chunk.headers.get("x-goog-upload-status")).toBe("active");
  await killWorkers(pool, "all");
  expect(await receivedOf(url)).toBe(CHUNK_BYTES);
  await killWorkers(pool, "all");
  const body = FILE.subarray(CHUNK_BYTES);
  await fileOf(pool, await leg(url, "upload, finalize", { offset: CHUNK_BYTES, body }));
  expect(pool.gateway.supervisor.replaced).toBe(3);
  await endsWell(pool);
});

it("in the middle of a chunk: the connection breaks, and the client goes on from what has arrived", async () => {
  const pool = await poolOfTest({ projects: PROJECTS });
  const { url } = await beginUpload(pool.url, FILE.length);
  const first = FILE.subarray(0, CHUNK_BYTES);
  expect((await leg(url, "upload", { offset: 0, body: first })).status).toBe(200);
  const sending = beginLeg(url, CHUNK_BYTES, FILE.subarray(CHUNK_BYTES, ARRIVED));
  const broke = once(sending, "error");
  await expect.poll(() => receivedOf(beyondGateway(pool, url)), POLL).toBe(ARRIVED);
  await killWorkers(pool, "busy");
  expect(String(await broke)).toMatch(/ECONNRESET|socket hang up/);
  // Whoever goes on before the upstream has seen the break would be told that another request writes to it.
  await pool.emulator.waitForCall(({ operation, aborted }) => operation === "upload.leg" && aborted);
  expect(await receivedOf(url)).toBe(ARRIVED);
  await fileOf(pool, await leg(url, "upload, finalize", { offset: ARRIVED, body: FILE.subarray(ARRIVED) }));
  await endsWell(pool);
});

it("before the last answer: the client asks, hears that the file is there, and is told of it again", async () => {
  const pool = await poolOfTest({ projects: PROJECTS });
  const { url } = await beginUpload(pool.url, FILE.length);
  const undo = pool.emulator.fault({
    match: { operation: "upload.leg" },
    fault: { kind: "slow-first-byte", untilReleased: true },
    times: 1,
  });
  const lost = leg(url, "upload, finalize", { offset: 0, body: FILE }).then(
    () => "answered",
    () => "broken",
  );
  await pool.emulator.waitForCall(({ phase, bodyBytes }) => phase === "held" && bodyBytes === FILE.length);
  await killWorkers(pool, "busy");
  expect(await lost).toBe("broken");
  undo();
  expect((await leg(url, "query")).headers.get("x-goog-upload-status")).toBe("final");
  await fileOf(pool, await leg(url, "upload, finalize", { offset: FILE.length, body: "" }));
  await endsWell(pool);
});
