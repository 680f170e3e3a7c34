import { once } from "node:events";
import { connect } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { startEmulator } from "../src/emulator.ts";
import { selfSignedCertificate } from "../src/self-signed.ts";
import { eventsOf, HI, SSE, UNARY } from "./client.ts";

const tls = selfSignedCertificate(Date.now());
const BODY = JSON.stringify(HI);

/** One request on a session: its headers and its text, or the stream's error. */
async function ask(session: ClientHttp2Session, path: string) {
  const stream = session.request({ ":method": "POST", ":path": path, "x-goog-api-key": "test-key-1" });
  stream.end(BODY);
  const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
  return { headers, text: await text(stream) };
}

describe("speaks TLS", () => {
  it("serves HTTP/2, whole and streaming, on one connection", async () => {
    await using emulator = await startEmulator({ tls });
    expect(emulator.url).toMatch(/^https:/);
    const session = connect(emulator.url, { ca: tls.cert });
    const [unary, stream] = await Promise.all([ask(session, UNARY), ask(session, SSE)]);
    session.close();
    expect(unary.headers[":status"]).toBe(200);
    expect(JSON.parse(unary.text)).toHaveProperty("candidates");
    expect(stream.headers["content-type"]).toBe("text/event-stream");
    expect(eventsOf(stream.text)).toHaveLength(4);
    await emulator.waitUntil(({ openStreams }) => openStreams === 0);
    expect(emulator.calls.recent().map((call) => call.aborted)).toEqual([false, false]);
  });

  it("resets a stream and sees a client leave one, the connection living on", async () => {
    await using emulator = await startEmulator({ tls });
    const session = connect(emulator.url, { ca: tls.cert });
    const undo = emulator.fault({ fault: { kind: "reset", afterEvents: 1 } });
    await expect(ask(session, SSE)).rejects.toThrow(/INTERNAL_ERROR/);
    undo();
    emulator.fault({ match: { pathIncludes: "stream" }, fault: { kind: "stall", afterEvents: 1 } });
    const leaving = session.request({ ":method": "POST", ":path": SSE, "x-goog-api-key": "test-key-1" });
    leaving.end(BODY);
    await emulator.waitForCall((call) => call.phase === "held");
    leaving.close();
    const call = await emulator.waitForCall(({ id, phase }) => id === 2 && phase === "done");
    expect(call.aborted).toBe(true);
    expect((await ask(session, UNARY)).headers[":status"]).toBe(200);
    session.close();
  });

  it("serves HTTP/1.1 to clients that speak nothing newer", async () => {
    await using emulator = await startEmulator({ tls });
    const outgoing = request(emulator.url + UNARY, {
      method: "POST",
      ca: tls.cert,
      headers: { "x-goog-api-key": "test-key-1" },
    });
    outgoing.end(BODY);
    const [incoming] = (await once(outgoing, "response")) as [
      NodeJS.ReadableStream & { httpVersion: string },
    ];
    expect(incoming.httpVersion).toBe("1.1");
    expect(await text(incoming)).toContain("Hello");
  });
});
