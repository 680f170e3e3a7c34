/** A body that is passed on may take as long as it moves; one that does not move is given up, whichever way it came. */
import { once } from "node:events";
import { request, type ClientRequest, type IncomingMessage } from "node:http";
import { setTimeout as passes } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startPool, type Pool } from "./harness/pool.ts";
import { beginUpload } from "./harness/uploads.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await startPool({ flags: { "timeouts-client-body": "2s", "timeouts-client-headers": "2s" } });
});
afterAll(() => pool[Symbol.asyncDispose]());

const PIECE = "0123456789";
/** More than the limit in all. */
const PIECES = 8;
const PAUSE_MS = 500;

const FRAMINGS = [
  { how: "of known length", framing: { "content-length": String(PIECES * PIECE.length) } },
  { how: "in chunks", framing: { "transfer-encoding": "chunked" } },
  {
    how: "that asks for leave",
    framing: { "content-length": String(PIECES * PIECE.length), expect: "100-continue" },
  },
];

async function begin(framing: Readonly<Record<string, string>>): Promise<ClientRequest> {
  const { url } = await beginUpload(pool.url, PIECES * PIECE.length);
  const headers = { ...framing, "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" };
  const sending = request(url, { method: "POST", headers });
  sending.flushHeaders();
  return sending;
}

it.each(FRAMINGS)("a body $how", async ({ framing }) => {
  const sending = await begin(framing);
  const answered = once(sending, "response") as Promise<[IncomingMessage]>;
  // Time is what is promised here.
  for (let sent = 0; sent < PIECES; sent += 1) {
    await passes(PAUSE_MS);
    sending.write(PIECE);
  }
  sending.end();
  const [answer] = await answered;
  expect((await answer.toArray()).join("")).toContain(`"sizeBytes": "${PIECES * PIECE.length}"`);
});

it.each(FRAMINGS)("but no body $how that stops", async ({ framing }) => {
  const sending = await begin(framing);
  sending.on("error", () => {});
  sending.write(PIECE);
  const [answer] = (await once(sending, "response")) as [IncomingMessage];
  expect(answer.statusCode).toBe(408);
  answer.resume();
  const leg = await pool.emulator.waitForCall(
    ({ operation, aborted, phase }) => operation === "upload.leg" && phase === "done" && aborted,
  );
  expect(leg.bodyBytes).toBeLessThanOrEqual(PIECE.length);
  sending.destroy();
});
